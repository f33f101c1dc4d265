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

const REPORT = 'report.html';

const FILES: readonly RunFile[] = [
  {
    route: 'report',
    name: REPORT,
    headers: {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': PAGE_POLICY,
    },
  },
  { route: 'model.onnx', name: 'model.onnx', headers: { 'Content-Type': 'application/octet-stream' } },
  { route: 'log', name: 'log.txt', headers: { 'Content-Type': 'text/plain; charset=utf-8' } },
];

export interface RunFilesRouteParts {
  store: RunStore;
  /** Resolves when a finished run has its report, or cannot have one now. */
  writeMissingReport: (run: StoredRun) => Promise<void>;
}

/** What lies in a run's folder: its history, its report, its model and its log. */
export function runFilesRoute({ store, writeMissingReport }: RunFilesRouteParts): Router {
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
        const stored = await store.find(request.params.id);
        if (file.name === REPORT && !(await isThere(stored, file))) await writeMissingReport(stored);
        await sendRunFile(response, stored, file);
      })
      .all(methodNotAllowed('GET', 'HEAD'));
  }
  return router;
}

async function isThere({ directory }: StoredRun, { name }: RunFile): Promise<boolean> {
  return stat(join(directory, name)).then(
    (found) => found.isFile(),
    () => false,
  );
}

async function sendRunFile(response: Response, stored: StoredRun, file: RunFile): Promise<void> {
  const { id, state, directory } = stored;
  const missing = new DomainError('run-file-not-found', `Run ${id} is ${state} and has no ${file.name} (yet).`);
  if (!(await isThere(stored, file))) throw missing;
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
