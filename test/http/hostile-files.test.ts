import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import type { ProblemDetails } from '../support/answers.ts';
import { hostileFiles } from '../support/hostile-files.ts';
import { startInferenceProcess } from '../support/inference-process.ts';
import { garmentImage, pngOf } from '../support/pictures.ts';
import { publishTiny } from '../support/published-version.ts';
import { residentBytes } from '../support/resident-memory.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** So many clients send the same file at the same time. */
const AT_A_TIME = 8;

/** 200 MB are promised; an allocator that gives back late, and what was sent, come on top. */
const MOST_BYTES = 300e6;

/** A second is promised to a machine that does nothing else; a test may share it with a dozen others. */
const MOST_MS = 10_000;

const WATCH_MS = 25;

const STATUSES = {
  'image-too-large': 413,
  'missing-image': 422,
  'undecodable-image': 422,
  'unsupported-media-type': 415,
} as const;

/** Names of libraries, paths and stacks. */
const TELLING =
  /vips|libpng|libjpeg|giflib|nsgif|webp[A-Z]|heif|tiff2|sharp|node_modules|\.[cm]?[jt]s\b|\/(home|root|tmp|usr|work|app)\b|\n\s+at /;

const files = await hostileFiles();

describe('a file made to hurt', { timeout: 300_000 }, () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let service: ReturnType<typeof startInferenceProcess>;
  let url: string;
  const closing: (() => unknown)[] = [];
  before(async () => {
    folder = await temporaryFolder();
    await publishTiny(folder.path);
    const context = { after: (close: () => unknown) => void closing.push(close) };
    service = startInferenceProcess(context, {
      MODELS_DIR: folder.path,
    });
    url = await service.serving();
    await post(await pngOf(garmentImage())); // whatever loads late is loaded
  });
  after(async () => {
    for (const close of closing) close();
    await service.ended;
    await folder.remove();
  });

  const post = (file: Uint8Array<ArrayBuffer> | Buffer) =>
    fetch(`${url}/predict`, {
      method: 'POST',
      headers: { 'Content-Type': 'image/png' },
      body: new Uint8Array(file),
    });

  for (const { name, file, code } of files) {
    test(`is refused with its code, soon, without much memory or a telling word: ${name}`, async () => {
      const memory = watchMemory(service.child.pid ?? NaN);
      const started = performance.now();
      const answers = await Promise.all(Array.from({ length: AT_A_TIME }, () => post(file)));
      const took = performance.now() - started;
      const grown = await memory.grownBy();
      for (const answer of answers) {
        const text = await answer.text();
        assert.equal((JSON.parse(text) as ProblemDetails).type, `/problems/${code}`, text);
        assert.equal(answer.status, STATUSES[code]);
        assert.doesNotMatch(text, TELLING);
      }
      assert.ok(took < MOST_MS, `${took} ms`);
      assert.ok(grown < MOST_BYTES, `${grown} bytes`);
    });
  }

  test('leaves the service as it was: a picture is answered, by the same processes', async () => {
    assert.equal((await post(await pngOf(garmentImage()))).status, 200);
    assert.doesNotMatch(service.printed(), /compute process was lost/);
  });

  test('is written nowhere, whatever its name says', async () => {
    const names = [join(folder.path, 'written.png'), '../written.png', '..\\written.png'];
    for (const name of names) {
      const form = new FormData();
      form.append('image', new Blob([new Uint8Array(await pngOf(garmentImage()))]), name);
      const answer = await fetch(`${url}/predict`, { method: 'POST', body: form });
      assert.equal(answer.status, 200, `${JSON.stringify(name)}: ${await answer.text()}`);
    }
    for (const place of [folder.path, join(folder.path, '..'), process.cwd(), join(process.cwd(), '..')]) {
      assert.equal(existsSync(join(place, 'written.png')), false, place);
    }
  });
});

/** Looks at it, from now on until it is asked. */
function watchMemory(pid: number): { grownBy(): Promise<number> } {
  const before = residentBytes(pid);
  let most = before;
  const watching = new AbortController();
  const watched = (async () => {
    while (!watching.signal.aborted) {
      most = Math.max(most, residentBytes(pid));
      await setTimeout(WATCH_MS);
    }
  })();
  return {
    async grownBy() {
      watching.abort();
      await watched;
      return most - before;
    },
  };
}
