import { methodNotAllowed } from '@atelier/http';
import { type RequestHandler, Router } from 'express';
import type { ModelsResponse } from '../contract/models.ts';
import { referenceTo } from '../model-reference.ts';
import type { RepositoryModels } from '../models/serve-models.ts';

/** What lies in the repository, and what has become of it here, for whoever passes `reader`. */
export function modelsRoute(models: RepositoryModels, reader: RequestHandler): Router {
  const router = Router();
  router
    .route('/models')
    .get(reader, (_request, response) => {
      const listed = models.statuses().map(({ version, state, reason, labels, device }) => ({
        ...referenceTo(version),
        state,
        reason,
        ...(device && { device }),
        labels: [...labels],
        accuracy: version.manifest.metrics.test.accuracy,
      }));
      response.json({ models: listed, faults: [...models.faults()] } satisfies ModelsResponse);
    })
    .all(methodNotAllowed('GET', 'HEAD'));
  return router;
}
