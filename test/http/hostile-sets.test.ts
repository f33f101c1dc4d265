import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import type { EvaluationReport } from '@atelier/evaluation';
import type { ProblemDetails } from '../support/answers.ts';
import { startInferenceProcess } from '../support/inference-process.ts';
import { garmentImage, pngOf } from '../support/pictures.ts';
import { publishTiny } from '../support/published-version.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { zipFile } from '../support/zip-file.ts';

/** As many as INFERENCE_EVALUATION_MAX_ENTRIES are taken. */
const MAXIMUM = 100_000;

/** So many times as long as in quiet one may wait at the mean: far less than where the whole of such a set is read at once. */
const LONGER = 25;

const header = ['label', ...Array.from({ length: 784 }, (_, index) => `pixel${index + 1}`)].join(',');
const row = `1${',0'.repeat(784)}`;
const csv = (junk: number) => Buffer.from(`${header}\n${row}\n${'x\n'.repeat(junk)}`);

/** A table of labels, and beside it one picture that it names or that lies in a folder. */
const labelled = (labels: string, picture: Buffer) =>
  zipFile([
    { name: 'labels.csv', data: Buffer.from(labels), method: 0 },
    { name: '1/a.png', data: picture, method: 0 },
  ]);
const lines = (count: number) => Array.from({ length: count }, (_, index) => `${index},1\n`).join('');

describe(
  'while a set is read that is made to keep the service busy, others are answered:',
  { timeout: 300_000 },
  () => {
    const cleanup: (() => void | Promise<void>)[] = [];
    let url: string;
    let picture: Buffer;
    /** How long one waits while nobody else is there, in ms. */
    let quiet: number;

    before(async () => {
      const folder = await temporaryFolder();
      const scratch = join(folder.path, 'scratch');
      await mkdir(scratch);
      await publishTiny(join(folder.path, 'models'));
      const environment = { MODELS_DIR: join(folder.path, 'models'), INFERENCE_SCRATCH_DIR: scratch };
      const service = startInferenceProcess({ after: (task) => void cleanup.push(task as () => void) }, environment);
      cleanup.push(() => folder.remove());
      url = await service.serving();
      picture = await pngOf(garmentImage());
      await evaluated('application/zip', labelled(lines(10), picture)); // starts the process that decodes
      await waitDuring(setTimeout(500));
      quiet = await waitDuring(setTimeout(1_000));
    });
    after(async () => {
      for (const task of cleanup) await task();
    });

    async function evaluated(type: string, body: Buffer): Promise<{ status: number; text: string }> {
      const response = await fetch(`${url}/evaluate`, { method: 'POST', headers: { 'Content-Type': type }, body });
      return { status: response.status, text: await response.text() };
    }

    /** How long a request that may come at any moment waits in the mean, while something happens, in ms. */
    async function waitDuring(task: Promise<unknown>): Promise<number> {
      let isOver = false;
      void task.finally(() => (isOver = true));
      const began = performance.now();
      let squares = 0;
      let now = began;
      while (!isOver) {
        const sent = now;
        await (await fetch(`${url}/healthz`)).arrayBuffer();
        now = performance.now();
        squares += (now - sent) ** 2;
      }
      return squares / (now - began) / 2;
    }

    const sets: [title: string, type: string, body: () => Buffer, expected: number | string][] = [
      [
        'a table of labels for as many files as are taken, which are missing',
        'application/zip',
        () => labelled(lines(MAXIMUM), picture),
        MAXIMUM,
      ],
      [
        'one for ten times as many',
        'application/zip',
        () => labelled(lines(10 * MAXIMUM), picture),
        'malformed-labels',
      ],
      [
        'one that names two files again and again',
        'application/zip',
        () => labelled('a,1\nb,2\n'.repeat(MAXIMUM / 2), picture),
        2,
      ],
      ['one of empty lines', 'application/zip', () => labelled('\n'.repeat(12_000_000), picture), 'malformed-labels'],
      [
        'one of a line of commas',
        'application/zip',
        () => labelled(`file,label${','.repeat(12_000_000)}`, picture),
        'malformed-labels',
      ],
      [
        'an archive of as many empty files as are taken, of which nothing says what they show',
        'application/zip',
        () =>
          zipFile([
            { name: '1/a.png', data: picture },
            ...Array.from({ length: MAXIMUM - 1 }, (_, index) => ({ name: `x/${index}.png`, method: 0 })),
          ]),
        MAXIMUM - 1,
      ],
      ['CSV of as many rows as are taken, none of which is one', 'text/csv', () => csv(MAXIMUM - 1), MAXIMUM - 1],
      ['CSV of fifty times as many', 'text/csv', () => csv(50 * MAXIMUM), 'archive-too-large'],
      [
        'gzip that unpacks to a thousand times its bytes',
        'application/gzip',
        () => Buffer.concat(new Array<Buffer>(50).fill(gzipSync(Buffer.alloc(10_000_000)))),
        'payload-too-large',
      ],
    ];

    for (const [title, type, body, expected] of sets) {
      test(title, async (t) => {
        const sent = body();
        const evaluation = evaluated(type, sent);
        const wait = await waitDuring(evaluation);
        const { status, text } = await evaluation;
        const waits = `one waits ${wait.toFixed(1)} ms, and in quiet ${quiet.toFixed(1)} ms`;
        t.diagnostic(waits);
        if (typeof expected === 'string') {
          assert.equal((JSON.parse(text) as ProblemDetails).type, `/problems/${expected}`);
        } else {
          const { examples, unreadable } = JSON.parse(text) as EvaluationReport;
          assert.deepEqual([status, examples, unreadable.count], [200, 1, expected]);
        }
        assert.ok(wait < LONGER * quiet, waits);
      });
    }
  },
);
