import { InvalidRequest, methodNotAllowed, parseQuery } from '@atelier/http';
import { Router } from 'express';
import type { z } from 'zod';
import { requestedRecipe } from '../contract/requested-recipe.ts';
import { runResource } from '../contract/run-resource.ts';
import { runsPage } from '../contract/runs-page.ts';
import { idempotencyKey } from './idempotency-key.ts';
import { jsonBody } from './json-body.ts';
import { NewRunBody, PublishBody, type PublishedRun, type RunsPage, RunsQuery } from '../contract/runs.ts';
import { type FindMachines, requireDevice } from '../supervision/known-devices.ts';
import type { Trainer } from '../supervision/trainer.ts';

/** Only one engine on one device has threads to choose; which is taken for `auto` shows later. */
function refuseThreadsOf({ engine, device, threads }: z.infer<typeof NewRunBody>): void {
  if (threads === null || (engine !== 'tfjs' && (device === 'auto' || device === 'cpu'))) return;
  const detail = `expected null for ${engine} on ${device}: only the ONNX engine on the CPU has threads to choose; came ${threads}`;
  throw new InvalidRequest('The body does not match its schema.', [{ pointer: '/threads', detail }]);
}

export interface RunsRouteParts {
  trainer: Trainer;
  findMachines: FindMachines;
  maximumBodyBytes: number;
}

/** `/runs` and what can be asked for a run. Its files and its events have routes of their own. */
export function runsRoute({ trainer, findMachines, maximumBodyBytes }: RunsRouteParts): Router {
  const router = Router();
  router
    .route('/runs')
    .get(async (request, response) => {
      const { runs, next } = runsPage(await trainer.store.list(), parseQuery(RunsQuery, request.query));
      const page: RunsPage = { runs: await Promise.all(runs.map(runResource)), next };
      response.json(page);
    })
    .post(async (request, response) => {
      const key = idempotencyKey(request);
      const body = await jsonBody(request, NewRunBody, maximumBodyBytes);
      const recipe = requestedRecipe(body);
      const { engine, device, threads, limit, publish } = body;
      refuseThreadsOf(body);
      // The best that works is there always; to find out what else works takes seconds.
      if (engine !== 'auto' || device !== 'auto') requireDevice(await findMachines(), engine, device);
      const { stored } = await trainer.submit({
        recipe,
        request: { engine, device, threads, limit },
        publish,
        idempotencyKey: key,
      });
      response
        .status(202)
        .location(`/runs/${stored.id}`)
        .json(await runResource(stored));
    })
    .all(methodNotAllowed('GET', 'HEAD', 'POST'));

  router
    .route('/runs/:id')
    .get(async (request, response) => {
      response.json(await runResource(await trainer.store.find(request.params.id)));
    })
    .delete(async (request, response) => {
      await trainer.remove(request.params.id);
      response.status(204).end();
    })
    .all(methodNotAllowed('GET', 'HEAD', 'DELETE'));

  router
    .route('/runs/:id/cancel')
    .post(async (request, response) => {
      response.status(202).json(await runResource(await trainer.cancel(request.params.id)));
    })
    .all(methodNotAllowed('POST'));

  router
    .route('/runs/:id/resume')
    .post(async (request, response) => {
      response.status(202).json(await runResource(await trainer.resume(request.params.id)));
    })
    .all(methodNotAllowed('POST'));

  router
    .route('/runs/:id/publish')
    .post(async (request, response) => {
      await trainer.store.find(request.params.id);
      const body = await jsonBody(request, PublishBody, maximumBodyBytes, { isOptional: true });
      const { version, isNew } = await trainer.publish(request.params.id, body);
      const { name, version: number, manifest } = version;
      const published: PublishedRun = { name, version: number, digest: manifest.digest, isNew };
      response.json(published);
    })
    .all(methodNotAllowed('POST'));
  return router;
}
