import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { createLog } from '@atelier/http';
import { readConfig, type RunningInference, startInference } from '@atelier/inference';
import type { ProblemDetails } from '../support/answers.ts';
import { publishTiny } from '../support/published-version.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** Below the limits of a service as it comes: what these bodies cost is not their size. */
const BODY_BYTES = 8_000_000;

const form = { 'Content-Type': 'multipart/form-data; boundary=b' };
const json = { 'Content-Type': 'application/json' };
const zipped = { ...json, 'Content-Encoding': 'gzip' };
const repeated = (unit: string) => unit.repeat(Math.floor((BODY_BYTES - 100) / unit.length));
const names = (count: number) => Array.from({ length: count }, (_, index) => `"k${index}":0`).join();

/** What each is refused with; before it was, some took minutes of the only thread, and gigabytes. */
const bodies: Record<string, { headers: Record<string, string>; body: string | Buffer; code: string }> = {
  'zeros for files, 15 kB of gzip': {
    headers: zipped,
    body: gzipSync(`{"images":[${repeated('0,')}0]}`),
    code: 'payload-too-large',
  },
  'zeros for files, fewer': { headers: json, body: `{"images":[${'0,'.repeat(300_000)}0]}`, code: 'too-many-images' },
  'zeros for rows': { headers: json, body: `{"pixels":[${repeated('0,')}0]}`, code: 'payload-too-large' },
  'empty rows': { headers: json, body: `{"pixels":[${repeated('[],')}[]]}`, code: 'payload-too-large' },
  'empty rows, fewer': { headers: json, body: `{"pixels":[${'[],'.repeat(30_000)}[]]}`, code: 'too-many-images' },
  'objects for rows, fewer': { headers: json, body: `{"pixels":[${'{},'.repeat(200)}{}]}`, code: 'invalid-request' },
  'unknown names': { headers: json, body: `{${names(500_000)}}`, code: 'payload-too-large' },
  'unknown names, fewer': { headers: json, body: `{${names(40_000)}}`, code: 'invalid-request' },
  'rows in rows': { headers: json, body: `{"pixels":${repeated('[')}`, code: 'payload-too-large' },
  'text that is no base64': { headers: json, body: `{"images":["${repeated('A')}*"]}`, code: 'invalid-request' },
  'parts without a name': {
    headers: form,
    body: `${repeated('--b\r\nContent-Disposition: form-data\r\n\r\n\r\n')}--b--`,
    code: 'invalid-request',
  },
  'parts without anything': { headers: form, body: repeated('--b\r\n'), code: 'invalid-request' },
};

describe('a body made to be dear', { timeout: 60_000 }, () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let service: RunningInference;
  before(async () => {
    folder = await temporaryFolder();
    await publishTiny(folder.path);
    const config = readConfig({ MODELS_DIR: folder.path, INFERENCE_PORT: '0' });
    service = await startInference(config, createLog('test', 'silent'));
    await service.settled;
  });
  after(async () => {
    await service.close();
    await folder.remove();
  });

  for (const [title, { headers, body, code }] of Object.entries(bodies)) {
    test(`is refused: ${title}`, async () => {
      const before = process.memoryUsage().heapUsed;
      const answer = fetch(`${service.url}/predict`, { method: 'POST', headers, body });
      const health = await fetch(`${service.url}/healthz`);
      assert.equal(health.status, 200);
      await health.text();
      const details = (await (await answer).json()) as ProblemDetails;
      assert.equal(details.type, `/problems/${code}`, JSON.stringify(details));
      assert.ok((details.errors ?? []).length <= 20);
      const grown = process.memoryUsage().heapUsed - before;
      assert.ok(grown < 200_000_000, `the heap grew by ${grown} bytes`);
    });
  }
});
