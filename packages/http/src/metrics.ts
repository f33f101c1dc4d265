import { type Request, type RequestHandler, Router } from 'express';
import type { Registry } from 'prom-client';
import { collectCounter, collectGauge, collectHistogram, Distribution, increment } from './collected-metrics.ts';
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

/** Of durations of requests, in seconds. */
const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Of one method and route. */
interface RouteTally {
  method: string;
  route: string;
  seconds: Distribution;
  statuses: Map<string, number>;
}

/**
 * Counts requests in `registry`, the problems that they met, and the seconds from each one's headers to the end of its
 * answer. Belongs before everything that may answer, with routers that are mounted at the root. Once for a registry.
 */
export function countRequests(registry: Registry): RequestHandler {
  const tallies = new Map<string, RouteTally>();
  const problems = new Map<string, number>();
  let inProgress = 0;
  collectCounter(registry, {
    name: 'http_requests_total',
    help: 'Requests by route and by status, which is "none" where the client left before an answer had begun',
    labels: ['method', 'route', 'status'],
    *series() {
      for (const { method, route, statuses } of tallies.values()) {
        for (const [status, count] of statuses) yield [{ method, route, status }, count];
      }
    },
  });
  collectHistogram(registry, {
    name: 'http_request_duration_seconds',
    help: 'From the headers of a request to the end of its answer',
    labels: ['method', 'route'],
    bounds: SECONDS,
    *series() {
      for (const { method, route, seconds } of tallies.values()) yield [{ method, route }, seconds];
    },
  });
  collectCounter(registry, {
    name: 'http_problems_total',
    help: 'Answers with problem details, by their code',
    labels: ['code'],
    *series() {
      for (const [code, count] of problems) yield [{ code }, count];
    },
  });
  collectGauge(registry, {
    name: 'http_requests_in_progress',
    help: 'Requests whose answer has not ended, the scrape itself included',
    labels: [],
    series: () => [[{}, inProgress]],
  });

  function tallyOf(method: string, route: string): RouteTally {
    const name = `${method} ${route}`;
    let tally = tallies.get(name);
    if (tally === undefined) {
      tally = { method, route, seconds: new Distribution(SECONDS), statuses: new Map() };
      tallies.set(name, tally);
    }
    return tally;
  }

  return (request, response, next) => {
    const started = performance.now();
    const { method } = request;
    inProgress++;
    response.once('close', () => {
      inProgress--;
      const { seconds, statuses } = tallyOf(method, routeOf(request));
      seconds.add((performance.now() - started) / 1000);
      increment(statuses, response.headersSent ? String(response.statusCode) : 'none');
      const code: unknown = response.locals['code'];
      if (typeof code === 'string') increment(problems, code);
    });
    next();
  };
}

/** The pattern, such as `/runs/:id`, or `none`: each path that somebody thinks of would be a series of its own. */
export function routeOf({ route }: Request): string {
  const { path } = (route ?? {}) as { path?: unknown };
  return typeof path === 'string' ? path : 'none';
}
