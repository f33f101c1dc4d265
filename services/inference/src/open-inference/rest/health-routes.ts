import { DomainError } from '@atelier/domain';
import { methodNotAllowed, RetryLater } from '@atelier/http';
import { type Response, Router } from 'express';
import type { Models } from '../../models/models.ts';

/** Whether the server lives, and whether it is ready: for probes, which bring no key and are many. */
export function healthRoutes(models: Models): Router {
  const router = Router({ caseSensitive: true });
  router
    .route('/v2/health/live')
    .get((_request, response) => void response.json({ live: true }))
    .all(methodNotAllowed('GET', 'HEAD'));
  router
    .route('/v2/health/ready')
    .get((_request, response) => sayReady(response, { live: true }, () => models.readyPredictor()))
    .all(methodNotAllowed('GET', 'HEAD'));
  return router;
}

/**
 * What every known client reads as ready, or as not (Triton's go by the status, KServe's by the fields). A
 * model that does not exist is an error and no state.
 */
export function sayReady(response: Response, state: object, demand: () => unknown): void {
  try {
    demand();
  } catch (error) {
    if (!(error instanceof DomainError) || error.code === 'model-not-found') throw error;
    if (error instanceof RetryLater) response.set('Retry-After', String(error.retryAfterSeconds));
    response.status(503).json({ ...state, ready: false, error: error.message });
    return;
  }
  response.json({ ...state, ready: true });
}
