import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { firstDifference } from '../../../scripts/ensure-installed.mjs';

const WANTED = {
  '': { version: '1.0.0' },
  'packages/mine': { version: '1.0.0' },
  'node_modules/mine': { link: true },
  'node_modules/left': { version: '2.0.0', integrity: 'sha512-a' },
  'node_modules/other-platform': { version: '3.0.0', integrity: 'sha512-b', optional: true },
};

describe('what is installed against the lockfile', () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'atelier-installed-'));
    await writeFile(join(root, 'package-lock.json'), JSON.stringify({ packages: WANTED }));
  });
  afterEach(() => rm(root, { recursive: true }));

  /** Writes what npm leaves behind after installing `packages`. */
  async function install(packages: Record<string, object>): Promise<void> {
    for (const path of Object.keys(packages)) {
      await mkdir(join(root, path), { recursive: true });
      await writeFile(join(root, path, 'package.json'), '{}');
    }
    await writeFile(join(root, 'node_modules', '.package-lock.json'), JSON.stringify({ packages }));
  }
  const installed = {
    'node_modules/mine': { link: true },
    'node_modules/left': { version: '2.0.0', integrity: 'sha512-a' },
  };

  test('a clone without node_modules differs', () => {
    assert.match(firstDifference(root) ?? '', /nothing is installed/);
  });

  test('a full install is no difference, though packages of other platforms are missing', async () => {
    await install(installed);
    assert.equal(firstDifference(root), undefined);
  });

  test('a package of another version differs', async () => {
    await install({ ...installed, 'node_modules/left': { version: '1.9.0', integrity: 'sha512-a' } });
    assert.match(firstDifference(root) ?? '', /node_modules\/left is 1\.9\.0, wanted 2\.0\.0/);
  });

  test('a package of the same version with other content differs', async () => {
    await install({ ...installed, 'node_modules/left': { version: '2.0.0', integrity: 'sha512-c' } });
    assert.match(firstDifference(root) ?? '', /node_modules\/left/);
  });

  test('a package that npm listed and somebody deleted differs', async () => {
    await install(installed);
    await rm(join(root, 'node_modules', 'left'), { recursive: true });
    assert.match(firstDifference(root) ?? '', /node_modules\/left is missing/);
  });

  test('a package whose folder was emptied differs', async () => {
    await install(installed);
    await rm(join(root, 'node_modules', 'left', 'package.json'));
    assert.match(firstDifference(root) ?? '', /node_modules\/left is missing/);
  });

  test("an install that broke off and left half of npm's list differs", async () => {
    await install(installed);
    await writeFile(join(root, 'node_modules', '.package-lock.json'), '{"packages": {"node_mod');
    assert.match(firstDifference(root) ?? '', /cannot be read/);
  });

  test('a package too many is no difference, so that a GPU library may be added', async () => {
    await install({ ...installed, 'node_modules/extra': { version: '1.0.0' } });
    assert.equal(firstDifference(root), undefined);
  });
});
