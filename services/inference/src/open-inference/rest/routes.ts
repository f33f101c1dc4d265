import { DomainError } from '@atelier/domain';
import { methodNotAllowed, RetryLater } from '@atelier/http';
import { type RequestHandler, Router } from 'express';
import type { Models } from '../../models/models.ts';
import type { ImageLimits } from '../../routes/image-limits.ts';
import { chooseVersion } from '../infer.ts';
import { serverMetadata } from '../server-metadata.ts';
import type { CountedInferences } from '../statistics.ts';
import { sayReady } from './health-routes.ts';
import { modelConfig, modelMetadata } from './model-description.ts';

/** What `GET /v2` says of this server. */
const SERVER = serverMetadata('binary_tensor_data');

export interface OpenInferenceParts {
  models: Models;
  statistics: CountedInferences;
  limits: ImageLimits;
  /** What `inferHandler` gives. */
  infer: RequestHandler<ModelPath>;
}

/** A model, or one of its versions. */
export interface ModelPath {
  model: string;
  version?: string;
}

/** The Open Inference Protocol (v2) over REST, for whoever may ask: the health of the server and its repository stand apart; docs/open-inference.md has our answer to each of its holes. */
export function openInferenceRoutes(parts: OpenInferenceParts): Router {
  const { models, statistics, limits } = parts;
  const router = Router({ caseSensitive: true });
  const at = (path: string, method: 'GET' | 'POST', handler: RequestHandler<ModelPath>) => {
    const route = router.route(path);
    if (method === 'POST') route.post(handler as unknown as RequestHandler).all(methodNotAllowed('POST'));
    else route.get(handler as unknown as RequestHandler).all(methodNotAllowed('GET', 'HEAD'));
  };
  /** Of a model, and of one of its versions. */
  const atModel = (path: string, method: 'GET' | 'POST', handler: RequestHandler<ModelPath>) => {
    at(`/v2/models/:model${path}`, method, handler);
    at(`/v2/models/:model/versions/:version${path}`, method, handler);
  };
  const chosen = ({ model, version }: ModelPath) => chooseVersion(models, model, version);

  atModel('/infer', 'POST', parts.infer);
  at('/v2', 'GET', (_request, response) => void response.json(SERVER));
  at('/v2/models', 'GET', (_request, response) => {
    response.json({ models: [...new Set(models.statuses().map(({ version }) => version.name))] });
  });
  at('/v2/models/stats', 'GET', (_request, response) => {
    response.json({ model_stats: models.statuses().map(({ version }) => statistics.of(version)) });
  });
  atModel('', 'GET', ({ params }, response) => void response.json(modelMetadata(models, chosen(params))));
  atModel('/ready', 'GET', ({ params }, response) => {
    sayReady(response, { name: params.model }, () => {
      if (!chosen(params).ready)
        throw new RetryLater('not-ready', 'The service stops, or its engine is being restarted.');
    });
  });
  atModel('/config', 'GET', ({ params }, response) => {
    response.json(modelConfig(chosen(params), limits.maximumImages));
  });
  atModel('/stats', 'GET', ({ params }, response) => {
    response.json({ model_stats: versionsAt(models, params).map(({ version }) => statistics.of(version)) });
  });
  return router;
}

function versionsAt(models: Models, { model, version }: ModelPath) {
  const found = models
    .statuses()
    .filter((status) => status.version.name === model)
    .filter((status) => version === undefined || String(status.version.version) === version);
  if (found.length > 0) return found;
  const asked = JSON.stringify(
    version === undefined ? model.slice(0, 64) : `${model.slice(0, 64)}/${version.slice(0, 32)}`,
  );
  throw new DomainError('model-not-found', `There is no ${asked} here.`);
}
