import { methodNotAllowed } from '@atelier/http';
import { listVersions, type PublishedVersion } from '@atelier/model-repository';
import { Router } from 'express';
import type { ModelsResponse } from '../contract/models.ts';
import { referenceTo } from '../model-reference.ts';
import type { ServedModel } from '../models/serve-newest.ts';

/**
 * What lies in the repository now, and what became of each version here. The folder is read anew for each answer: it
 * changes under a running service, and people ask seldom, at 1 ms for a version's manifest.
 */
export function modelsRoute(model: ServedModel, modelsDirectory: string): Router {
  const router = Router();
  router
    .route('/models')
    .get(async (_request, response) => {
      const { versions } = await listVersions(modelsDirectory);
      const models = withServed(versions, model.served()).map((version) => ({
        ...referenceTo(version),
        ...stateOf(version, model),
        accuracy: version.manifest.metrics.test.accuracy,
      }));
      response.json({ models } satisfies ModelsResponse);
    })
    .all(methodNotAllowed('GET', 'HEAD'));
  return router;
}

/** The served version in its place, also when its folder is gone; what was put into its folder since is another one. */
function withServed(versions: PublishedVersion[], served: PublishedVersion | undefined): PublishedVersion[] {
  if (served === undefined || versions.some((version) => isSame(version, served))) return versions;
  return [...versions, served].sort((a, b) => a.name.localeCompare(b.name) || a.version - b.version);
}

function stateOf(version: PublishedVersion, model: ServedModel) {
  const served = model.served();
  if (served !== undefined && isSame(version, served)) return { state: 'served' as const };
  const reason = model.refusalOf(version);
  return reason === undefined ? { state: 'available' as const } : { state: 'refused' as const, reason };
}

function isSame(a: PublishedVersion, b: PublishedVersion): boolean {
  return a.name === b.name && a.version === b.version && a.manifest.digest === b.manifest.digest;
}
