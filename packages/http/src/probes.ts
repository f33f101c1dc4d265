import { Router } from 'express';
import { methodNotAllowed } from './problems.ts';

/** Asked every few seconds for ever: their log lines would bury the others. */
export const PROBES = ['/healthz', '/readyz', '/startupz'] as const;

/** Those of the Open Inference Protocol as well: `/v2/health/live` and the other one. */
export function isProbe(path: string): boolean {
  return (PROBES as readonly string[]).includes(path) || path.startsWith('/v2/health/');
}

/** What a service says of its state; each throws a DomainError such as `not-ready` where it is not in it. */
export interface ProbeAnswers {
  /** What to say about being able to work. */
  readiness: () => object;
  /** What to say about having started; without it there is no such route. */
  startup?: () => object;
}

/**
 * `GET /healthz`: the process answers. `GET /readyz`: it can do its work now. `GET /startupz`: it has done once what it
 * does when it starts, and a probe need not wait any longer.
 */
export function probeRoutes({ readiness, startup }: ProbeAnswers): Router {
  const router = Router();
  const serve = (path: (typeof PROBES)[number], answer: () => object) => {
    router
      .route(path)
      .get((_request, response) => void response.json(answer()))
      .all(methodNotAllowed('GET', 'HEAD'));
  };
  serve('/healthz', () => ({ status: 'alive' }));
  serve('/readyz', () => ({ status: 'ready', ...readiness() }));
  if (startup !== undefined) serve('/startupz', () => ({ status: 'started', ...startup() }));
  return router;
}
