import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import type { EvaluationReport } from '@atelier/evaluation';
import { greyPngOf } from '@atelier/pictures';
import sharp from 'sharp';
import { startInferenceProcess } from '../support/inference-process.ts';
import { publishTiny, randomImage } from '../support/published-version.ts';
import { residentBytes } from '../support/resident-memory.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { type ZipEntry, zipFile } from '../support/zip-file.ts';

const SMALL = 12_000;
const LARGE = 100;
const SIDE = 800;
const MEGABYTE = 1_000_000;

/**
 * Below the archive, of which nothing is to stay, and above what may come and go: pieces of it that wait for the collector of
 * garbage, in two processes, and a few large pictures in work.
 */
const MAXIMUM_GROWTH = 140 * MEGABYTE;

/** An archive of this many small pictures in the data set's form, and large ones of noise, which no compression makes smaller. */
async function archive(small: number, large: number): Promise<Buffer> {
  const noise = Buffer.from(Uint8Array.from({ length: 3 * SIDE * SIDE }, (_, place) => (place * 2_654_435_761) >>> 13));
  const photo = await sharp(noise, { raw: { width: SIDE, height: SIDE, channels: 3 } })
    .png({ compressionLevel: 0 })
    .toBuffer();
  const garments = Array.from({ length: 10 }, (_, seed) => greyPngOf(randomImage(seed), 28));
  const entry = (folder: number, name: string, data: Uint8Array): ZipEntry => ({
    ...{ name: `${folder}/${name}.png`, data, method: 0 },
  });
  return zipFile([
    ...Array.from({ length: small }, (_, index) => entry(index % 10, `s${index}`, garments[index % 10] ?? photo)),
    ...Array.from({ length: large }, (_, index) => entry(index % 10, `l${index}`, photo)),
  ]);
}

/** The most that a process and its children have at any time while `task` runs, in bytes. */
async function peakDuring<T>(pid: number | undefined, task: Promise<T>): Promise<{ result: T; peak: number }> {
  let isOver = false;
  const watched = task.finally(() => (isOver = true));
  let peak = 0;
  while (!isOver) {
    peak = Math.max(peak, residentBytes(pid));
    await Promise.race([setTimeout(50), watched]);
  }
  return { result: await watched, peak };
}

test('an archive of 200 MB is evaluated in far less memory than that', { timeout: 300_000 }, async (t) => {
  const folder = await temporaryFolder();
  t.after(() => folder.remove());
  await publishTiny(join(folder.path, 'models'));
  const service = startInferenceProcess(t, {
    MODELS_DIR: join(folder.path, 'models'),
    INFERENCE_SCRATCH_DIR: folder.path,
  });
  const url = await service.serving();
  const evaluate = async (body: Buffer) => {
    const headers = { 'Content-Type': 'application/zip' };
    const response = await fetch(`${url}/evaluate`, { method: 'POST', headers, body });
    assert.equal(response.status, 200);
    return (await response.json()) as EvaluationReport;
  };
  await evaluate(await archive(500, 4)); // starts the process that decodes, and loads what is loaded once
  const before = residentBytes(service.child.pid);
  const large = await archive(SMALL, LARGE);
  assert.ok(large.length > 190 * MEGABYTE, `${large.length} bytes`);
  const { result, peak } = await peakDuring(service.child.pid, evaluate(large));
  assert.deepEqual([result.examples, result.unreadable.count], [SMALL + LARGE, 0]);
  const grown = peak - before;
  t.diagnostic(`${Math.round(grown / MEGABYTE)} MB more than ${Math.round(before / MEGABYTE)} MB`);
  assert.ok(grown < MAXIMUM_GROWTH, `${Math.round(grown / MEGABYTE)} MB more than before`);
});
