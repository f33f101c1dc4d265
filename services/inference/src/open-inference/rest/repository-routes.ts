import type { IncomingMessage } from 'node:http';
import { DomainError, ModelName } from '@atelier/domain';
import { methodNotAllowed, parseJson, readBody } from '@atelier/http';
import { type RequestHandler, Router } from 'express';
import type { Models } from '../../models/models.ts';
import { refuseOtherMedia } from './read-request.ts';

/** The bodies of these routes have a few fields. */
const MAXIMUM_BYTES = 64 * 1024;
const MAXIMUM_VALUES = 1_000;

/** Parameters of a load that bring a model along. Files come into the repository by being published, checked and named. */
const BROUGHT_ALONG = /^(config$|file:)/;

/** The extension `model_repository`: what there is. */
export function repositoryIndexRoute(models: Models): Router {
  const router = Router({ caseSensitive: true });
  router
    .route('/v2/repository/index')
    .post(async (request, response) => {
      const { ready = false } = await readObject(request);
      if (typeof ready !== 'boolean') throw new DomainError('invalid-request', '"ready": expected true or false.');
      const listed = models.statuses().filter(({ state }) => !ready || state === 'READY');
      response.json(
        listed.map(({ version: { name, version }, state, reason }) => ({
          name,
          version: String(version),
          state,
          reason,
        })),
      );
    })
    .all(methodNotAllowed('POST'));
  return router;
}

/** The same: what changes what is served, for whoever passes `admin`. */
export function repositoryRoutes(models: Models, admin: RequestHandler): Router {
  const router = Router({ caseSensitive: true });
  router
    .route('/v2/repository/models/:model/load')
    .post(admin, async (request, response) => {
      const { model } = request.params;
      const { parameters } = await readObject(request);
      refuseBroughtAlong(parameters);
      await models.load(nameOf(model));
      response.json({ name: model, load: true });
    })
    .all(methodNotAllowed('POST'));
  router
    .route('/v2/repository/models/:model/unload')
    .post(admin, async (request, response) => {
      const { model } = request.params;
      await readObject(request); // `unload_dependents`: nothing depends on a model here
      await models.unload(nameOf(model));
      response.json({ name: model, unload: true });
    })
    .all(methodNotAllowed('POST'));
  return router;
}

/** An empty body counts as an empty object. */
async function readObject(request: IncomingMessage): Promise<Record<string, unknown>> {
  refuseOtherMedia(request.headers['content-type']);
  const body = await readBody(request, MAXIMUM_BYTES);
  const value: unknown = body.length === 0 ? {} : parseJson(body, MAXIMUM_VALUES);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new DomainError('invalid-request', 'The body: expected an object.');
}

function refuseBroughtAlong(parameters: unknown = {}): void {
  if (typeof parameters !== 'object' || parameters === null || Array.isArray(parameters)) {
    throw new DomainError('invalid-request', '"parameters": expected an object.');
  }
  const key = Object.keys(parameters).find((name) => BROUGHT_ALONG.test(name));
  if (key === undefined) return;
  throw new DomainError(
    'unsupported-feature',
    `Parameter ${JSON.stringify(key.slice(0, 64))}: a model is loaded as it was published, and takes neither configuration nor files.`,
  );
}

/** A name becomes a folder: what can be none is none of our models. */
function nameOf(name: string): string {
  if (ModelName.safeParse(name).success) return name;
  throw new DomainError('model-not-found', `${JSON.stringify(name.slice(0, 64))} can be no model's name.`);
}
