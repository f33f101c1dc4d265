import type { RequestListener } from 'node:http';
import express, { type Express, type RequestHandler } from 'express';
import { type DirectRoute, type TakeDirectly, takeDirectly } from './direct-routes.ts';
import type { Log } from './log.ts';
import { type ErrorForm, routeNotFound, sendProblem } from './problems.ts';
import { identifyRequest, logRequests, refuseLongUrls } from './request-context.ts';
import { secureHeaders } from './secure-headers.ts';
import { type SpanSink, traceRequests } from './trace-requests.ts';

export interface ApplicationOptions {
  /** The form in which the clients of a path read a failure. Default: problem details. */
  formOf?: (path: string) => ErrorForm;
  /** Where each request goes as a span. Default: nowhere. */
  spans?: SpanSink;
  /** How long the path and the query of a request may be together. Default: 8 KiB. */
  maximumUrlBytes?: number;
  /** Routes that are asked far more often than all others, and which of the handlers in `routes` come before them. */
  direct?: { before: readonly RequestHandler[]; routes: readonly DirectRoute[] };
}

/** An Express application with everything around the routes: ids, traces, log lines, headers, 404 and failures. */
export function createApplication(
  log: Log,
  routes: RequestHandler[],
  { formOf, spans, maximumUrlBytes = 8_192, direct }: ApplicationOptions = {},
): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  const around: RequestHandler[] = [
    identifyRequest,
    traceRequests(spans),
    logRequests(log),
    secureHeaders(),
    refuseLongUrls(maximumUrlBytes),
  ];
  const fail = sendProblem(log, formOf);
  app.use(...around);
  app.use(...routes);
  app.use(routeNotFound);
  app.use(fail);
  if (direct !== undefined) goFirst(app, takeDirectly(direct.routes, [...around, ...direct.before], fail));
  return app;
}

/** The application stays one of Express, for whoever listens with it, tests it or walks its routes. */
function goFirst(app: Express, take: TakeDirectly): void {
  const { handle } = app as unknown as { handle: RequestListener };
  const handleFirst: RequestListener = (request, response) => {
    if (!take(request, response)) handle.call(app, request, response);
  };
  Object.assign(app, { handle: handleFirst });
}
