import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { DomainError } from '@atelier/domain';
import {
  changeLabels,
  listVersions,
  NO_LABELS,
  promoteCanary,
  readLabels,
  replaceLabels,
  rollBack,
} from '@atelier/model-repository';
import { noFileLimit, whileFilesAreAtMost } from '../../support/full-disk.ts';
import { publishTiny } from '../../support/published-version.ts';
import { whileReadOnly } from '../../support/read-only-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const NAME = 'fashion-mlp';
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let root: string;
let file: string;
beforeEach(async () => {
  folder = await temporaryFolder();
  root = folder.path;
  file = join(root, NAME, 'labels.json');
  for (const number of ['1', '2', '3']) await mkdir(join(root, NAME, number), { recursive: true });
});
afterEach(() => folder.remove());

describe('labels that cannot be written', () => {
  const inFolder = async () => (await readdir(join(root, NAME))).sort();
  const refused = (code: string, message: RegExp) => async (change: Promise<unknown>) => {
    await assert.rejects(change, (error: Error) => {
      assert.equal((error as DomainError).code, code);
      assert.match(error.message, message);
      return true;
    });
  };
  const unwritable = refused('repository-not-writable', /labels\.json cannot be written: (EACCES|EPERM)/);
  const full = refused('disk-full', /no room to write .*labels\.json: EFBIG/);

  test('because the folder is read-only are what they were, and nothing lies beside them', async () => {
    await changeLabels(root, NAME, { stable: 1 });
    const before = [await inFolder(), await readLabels(root, NAME)];
    await whileReadOnly(root, NAME, async () => {
      await unwritable(changeLabels(root, NAME, { stable: 2 }));
      await unwritable(replaceLabels(root, NAME, { stable: 2, canary: null }));
      await unwritable(rollBack(root, NAME));
    });
    assert.deepEqual([await inFolder(), await readLabels(root, NAME)], before);
  });

  test('because the disk is full are what they were', { skip: noFileLimit }, async () => {
    await changeLabels(root, NAME, { stable: 1 });
    const before = [await inFolder(), await readLabels(root, NAME)];
    await whileFilesAreAtMost(10, async () => {
      await full(changeLabels(root, NAME, { stable: 2 }));
      await full(rollBack(root, NAME));
    });
    assert.deepEqual([await inFolder(), await readLabels(root, NAME)], before);
  });

  test('because a folder has their place leave it alone', async () => {
    await mkdir(file);
    const before = await inFolder();
    await refused('repository-not-writable', /EISDIR/)(replaceLabels(root, NAME, { stable: 2, canary: null }));
    assert.deepEqual(await inFolder(), before);
  });
});

describe('labels', () => {
  test('are none without a file, are written whole beside the versions, and are no version', async () => {
    assert.deepEqual(await readLabels(root, NAME), NO_LABELS);
    await changeLabels(root, NAME, { stable: 1, canary: 3 });
    assert.deepEqual(JSON.parse(await readFile(file, 'utf8')), { stable: 1, canary: 3, previous: 3 });
    assert.deepEqual((await readdir(join(root, NAME))).sort(), ['1', '2', '3', 'labels.json'], 'nothing beside it');
    await publishTiny(root);
    assert.ok((await listVersions(root)).skipped.every(({ path }) => !path.endsWith('labels.json')));
  });

  test('a change leaves what it does not name, null takes a label away, and what becomes stable is no canary', async () => {
    await changeLabels(root, NAME, { stable: 1 });
    assert.deepEqual(await changeLabels(root, NAME, { canary: 2 }), { stable: 1, canary: 2, previous: 3 });
    assert.deepEqual(await changeLabels(root, NAME, { stable: 2 }), { stable: 2, canary: null, previous: 1 });
    assert.deepEqual(await changeLabels(root, NAME, { stable: null }), { stable: null, canary: null, previous: 2 });
  });

  test('the canary is promoted, and there must be one', async () => {
    await assert.rejects(promoteCanary(root, NAME), { code: 'model-not-found', message: /has no canary/ });
    await changeLabels(root, NAME, { stable: 2, canary: 3 });
    assert.deepEqual(await promoteCanary(root, NAME), { stable: 3, canary: null, previous: 2 });
  });

  test('a rollback goes to what was stable before, and a second one takes it back', async () => {
    await changeLabels(root, NAME, { stable: 1 });
    await changeLabels(root, NAME, { stable: 3 });
    assert.deepEqual(await rollBack(root, NAME), { stable: 1, canary: null, previous: 3 });
    assert.deepEqual(await rollBack(root, NAME), { stable: 3, canary: null, previous: 1 });
  });

  test('a rollback without labels, or to a version that is gone, goes to the version below', async () => {
    assert.equal((await rollBack(root, NAME)).stable, 2, 'the newest was 3');
    await rm(file);
    assert.equal((await rollBack(root, NAME, 2)).stable, 1, 'where 2 is what answers');
    await changeLabels(root, NAME, { stable: 3 });
    await rm(join(root, NAME, '1'), { recursive: true });
    assert.equal((await rollBack(root, NAME)).stable, 2);
    await rm(file);
    await assert.rejects(rollBack(root, NAME, 2), { code: 'model-not-found', message: /no version .* before 2/ });
  });

  test('name versions that are there, and say which are', async () => {
    const refused = { code: 'model-not-found', message: /No version 7 .* there is: fashion-mlp\/1, .*fashion-mlp\/3/ };
    await assert.rejects(changeLabels(root, NAME, { stable: 7 }), refused);
    await assert.rejects(changeLabels(root, NAME, { canary: 7 }), refused);
    await assert.rejects(changeLabels(root, 'shoes', { stable: 1 }), {
      code: 'model-not-found',
      message: /there is: none/,
    });
    await assert.rejects(changeLabels(root, '../elsewhere', { stable: 1 }));
    assert.deepEqual(await readLabels(root, NAME), NO_LABELS);
  });

  test('one version is not stable and canary', async () => {
    await assert.rejects(changeLabels(root, NAME, { stable: 2, canary: 2 }), { code: 'invalid-labels' });
  });

  for (const [text, message] of [
    ['{"stable": 1', /labels\.json is not JSON/],
    ['{"stable": "1"}', /stable.*expected number/],
    ['{"stable": 0}', /stable/],
    ['{"stabel": 1}', /stabel/],
    ['[]', /expected object/],
    [' '.repeat(65 * 1024), /66560 bytes; at most 65536 are read/],
  ] as const) {
    test(`a file with ${text.trim().slice(0, 20) || 'too much in it'} is refused with the reason, and can be replaced`, async () => {
      await writeFile(file, text);
      await assert.rejects(readLabels(root, NAME), { code: 'invalid-labels', message });
      await assert.rejects(changeLabels(root, NAME, { stable: 1 }), { code: 'invalid-labels' });
      assert.deepEqual(await replaceLabels(root, NAME, { stable: 1, canary: null }), {
        stable: 1,
        canary: null,
        previous: 3,
      });
    });
  }
});
