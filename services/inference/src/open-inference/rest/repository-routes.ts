import type { IncomingMessage } from 'node:http';
import { DomainError } from '@atelier/domain';
import { methodNotAllowed, parseJson, readBody } from '@atelier/http';
import { type RequestHandler, Router } from 'express';
import type { Models } from '../../models/models.ts';
import { refuseBroughtAlong, requireModelName } from '../server-metadata.ts';
import { refuseOtherMedia } from './read-request.ts';

/** The bodies of these routes have a few fields. */
const MAXIMUM_BYTES = 64 * 1024;
const MAXIMUM_VALUES = 1_000;

/** The extension `model_repository`: what there is, for whoever passes `reader`, and what changes it, for whoever passes `admin`. */
export function repositoryRoutes(models: Models, reader: RequestHandler, admin: RequestHandler): Router {
  const router = Router({ caseSensitive: true });
  router
    .route('/v2/repository/index')
    .post(reader, async (request, response) => {
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
  router
    .route('/v2/repository/models/:model/load')
    .post(admin, async (request, response) => {
      const { model } = request.params;
      const { parameters } = await readObject(request);
      refuseBroughtAlong(objectIn(parameters));
      await models.load(requireModelName(model));
      response.json({ name: model, load: true });
    })
    .all(methodNotAllowed('POST'));
  router
    .route('/v2/repository/models/:model/unload')
    .post(admin, async (request, response) => {
      const { model } = request.params;
      await readObject(request); // `unload_dependents`: nothing depends on a model here
      await models.unload(requireModelName(model));
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

function objectIn(parameters: unknown = {}): object {
  if (typeof parameters === 'object' && parameters !== null && !Array.isArray(parameters)) return parameters;
  throw new DomainError('invalid-request', '"parameters": expected an object.');
}
