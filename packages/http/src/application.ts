import express, { type Express, type RequestHandler } from 'express';
import type { Log } from './log.ts';
import { type ErrorForm, routeNotFound, sendProblem } from './problems.ts';
import { identifyRequest, logRequests, secureHeaders } from './request-context.ts';

/**
 * An Express application with everything around the routes: ids, log lines, headers, 404 and problem details, or what
 * `formOf` a path says.
 */
export function createApplication(log: Log, routes: RequestHandler[], formOf?: (path: string) => ErrorForm): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(identifyRequest, logRequests(log), secureHeaders);
  app.use(...routes);
  app.use(routeNotFound);
  app.use(sendProblem(log, formOf));
  return app;
}
