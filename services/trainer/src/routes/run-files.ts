import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { DomainError } from '@atelier/domain';
import { methodNotAllowed } from '@atelier/http';
import { type Response, Router } from 'express';
import type { z } from 'zod';
import type { RunHistory } from '../contract/runs.ts';
import { readHistory } from '../runs/history.ts';
import type { RunStore, StoredRun } from '../runs/run-store.ts';
import { PAGE_POLICY } from './page-policy.ts';

interface RunFile {
  /** The last word of the route. */
  route: string;
  /** In the run's folder. */
  name: string;
  headers: Record<string, string>;
}

const FILES: readonly RunFile[] = [
  {
    route: 'report',
    name: 'report.html',
    headers: {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': PAGE_POLICY,
    },
  },
  { route: 'model.onnx', name: 'model.onnx', headers: { 'Content-Type': 'application/octet-stream' } },
  { route: 'log', name: 'log.txt', headers: { 'Content-Type': 'text/plain; charset=utf-8' } },
];

/** What lies in a run's folder: its history, its report, its model and its log. */
export function runFilesRoute(store: RunStore): Router {
  const router = Router();
  router
    .route('/runs/:id/history')
    .get(async (request, response) => {
      const { directory } = await store.find(request.params.id);
      const history: z.infer<typeof RunHistory> = { epochs: await readHistory(join(directory, 'history.ndjson')) };
      response.json(history);
    })
    .all(methodNotAllowed('GET', 'HEAD'));
  for (const file of FILES) {
    router
      .route(`/runs/:id/${file.route}`)
      .get(async (request, response) => {
        await sendRunFile(response, await store.find(request.params.id), file);
      })
      .all(methodNotAllowed('GET', 'HEAD'));
  }
  return router;
}

async function sendRunFile(response: Response, { id, state, directory }: StoredRun, file: RunFile): Promise<void> {
  const missing = new DomainError('run-file-not-found', `Run ${id} is ${state} and has no ${file.name} (yet).`);
  const found = await stat(join(directory, file.name)).catch(() => null);
  if (!found?.isFile()) throw missing;
  response.set(file.headers);
  response.set('Content-Disposition', `inline; filename="${id}-${file.name}"`);
  await new Promise<void>((done, fail) => {
    const options = { root: resolve(directory), dotfiles: 'allow', cacheControl: false } as const;
    response.sendFile(file.name, options, (error?: Error & { status?: number }) => {
      // A client that leaves in the middle is no fault of ours.
      if (error === undefined || response.headersSent) done();
      else if (error.status === 404) fail(missing);
      else if (error.status === 412 || error.status === 416) done(refuseCondition(response, error.status));
      else fail(error);
    });
  });
}

/** `If-Match` or `Range` of another file than there is (RFC 9110, sections 13.1 and 14.2): the status says it all. */
function refuseCondition(response: Response, status: number): void {
  response.removeHeader('Content-Disposition');
  response.removeHeader('Content-Type');
  response.status(status).end();
}
