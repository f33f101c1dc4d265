import express, { type Express, type RequestHandler } from 'express';
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
}

/** An Express application with everything around the routes: ids, traces, log lines, headers, 404 and failures. */
export function createApplication(
  log: Log,
  routes: RequestHandler[],
  { formOf, spans, maximumUrlBytes = 8_192 }: ApplicationOptions = {},
): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(identifyRequest, traceRequests(spans), logRequests(log), secureHeaders(), refuseLongUrls(maximumUrlBytes));
  app.use(...routes);
  app.use(routeNotFound);
  app.use(sendProblem(log, formOf));
  return app;
}
