import { methodNotAllowed } from '@atelier/http';
import { listVersions, type PublishedVersion } from '@atelier/model-repository';
import { Router } from 'express';
import type { ModelsResponse } from '../contract/models.ts';
import { referenceTo } from '../model-reference.ts';
import type { ServedModel } from '../served-model.ts';

/** What lies in the repository now, and what became of each version here. */
export function modelsRoute(model: ServedModel, modelsDirectory: string): Router {
  const router = Router();
  router
    .route('/models')
    .get(async (_request, response) => {
      const { versions } = await listVersions(modelsDirectory);
      const models = versions.map((version) => ({
        ...referenceTo(version),
        ...stateOf(version, model),
        accuracy: version.manifest.metrics.test.accuracy,
      }));
      response.json({ models } satisfies ModelsResponse);
    })
    .all(methodNotAllowed('GET', 'HEAD'));
  return router;
}

function stateOf(version: PublishedVersion, model: ServedModel) {
  if (model.isServed(version)) return { state: 'served' as const };
  const reason = model.refusalOf(version);
  return reason === undefined ? { state: 'available' as const } : { state: 'refused' as const, reason };
}
