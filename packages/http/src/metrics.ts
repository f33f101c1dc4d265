import { type Request, type RequestHandler, Router } from 'express';
import { Counter, Histogram, type Registry } from 'prom-client';
import { methodNotAllowed } from './problems.ts';

/** `GET /metrics`: what `registry` has collected, in Prometheus' text format. */
export function metricsRoute(registry: Registry): Router {
  const router = Router();
  router
    .route('/metrics')
    .get(async (_request, response) => {
      const text = await registry.metrics();
      response.type(registry.contentType).send(text);
    })
    .all(methodNotAllowed('GET', 'HEAD'));
  return router;
}

/**
 * Counts requests in `registry`, and the seconds from each one's headers to the end of its answer. Belongs before
 * everything that may answer, with routers that are mounted at the root. Once for a registry.
 */
export function countRequests(registry: Registry): RequestHandler {
  const requests = new Counter({
    name: 'http_requests_total',
    help: 'Requests by route and by status, which is "none" where the client left before an answer had begun',
    labelNames: ['method', 'route', 'status'],
    registers: [registry],
  });
  const seconds = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'From the headers of a request to the end of its answer',
    labelNames: ['method', 'route'],
    registers: [registry],
  });
  return (request, response, next) => {
    const stop = seconds.startTimer();
    const { method } = request;
    response.once('close', () => {
      const route = routeOf(request);
      stop({ method, route });
      requests.inc({ method, route, status: response.headersSent ? response.statusCode : 'none' });
    });
    next();
  };
}

/** The pattern, such as `/runs/:id`, or `none`: each path that somebody thinks of would be a series of its own. */
function routeOf({ route }: Request): string {
  const { path } = (route ?? {}) as { path?: unknown };
  return typeof path === 'string' ? path : 'none';
}
