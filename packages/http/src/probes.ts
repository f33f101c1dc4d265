import { Router } from 'express';
import { methodNotAllowed } from './problems.ts';

/**
 * `GET /healthz`: the process answers. `GET /readyz`: it can do its work; `readiness` returns what to say about that,
 * or throws a DomainError such as `not-ready`.
 */
export function probeRoutes(readiness: () => object): Router {
  const router = Router();
  router
    .route('/healthz')
    .get((_request, response) => void response.json({ status: 'alive' }))
    .all(methodNotAllowed('GET', 'HEAD'));
  router
    .route('/readyz')
    .get((_request, response) => void response.json({ status: 'ready', ...readiness() }))
    .all(methodNotAllowed('GET', 'HEAD'));
  return router;
}
