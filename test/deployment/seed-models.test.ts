import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { readTrainerConfig } from '@atelier/trainer';
import {
  base,
  deploymentsIn,
  environmentOf,
  KUBERNETES,
  kustomizationOf,
  podOf,
} from '../support/deployment/manifests.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

describe('seed-models.mjs', () => {
  const script = join(KUBERNETES, 'base', 'seed-models.mjs');

  test('fills an empty folder with whole models, and leaves what is there as it is', async () => {
    const folder = await temporaryFolder();
    try {
      const [from, to] = [join(folder.path, 'from'), join(folder.path, 'to')];
      for (const model of ['fashion-mlp', 'other']) {
        await mkdir(join(from, model, '1'), { recursive: true });
        await writeFile(join(from, model, '1', 'manifest.json'), model);
      }
      await mkdir(join(to, 'other', '7'), { recursive: true });
      await mkdir(join(to, '.fashion-mlp-seed', 'half'), { recursive: true });
      for (let time = 0; time < 2; time++) await promisify(execFile)(process.execPath, [script, from, to]);
      assert.deepEqual((await readdir(to)).sort(), ['fashion-mlp', 'other']);
      assert.deepEqual(await readdir(join(to, 'fashion-mlp')), ['1']);
      assert.equal(await readFile(join(to, 'fashion-mlp', '1', 'manifest.json'), 'utf8'), 'fashion-mlp');
      assert.deepEqual(await readdir(join(to, 'other')), ['7'], 'what was published there');
    } finally {
      await folder.remove();
    }
  });

  test('is started by the trainer before it starts itself, with the folders that are mounted there', () => {
    const [trainer] = deploymentsIn(base).filter(({ metadata }) => metadata.name === 'trainer');
    assert.ok(trainer);
    const [first] = podOf(trainer).initContainers ?? [];
    const [program = '', from, to] = first?.args ?? [];
    const mounts = Object.fromEntries((first?.volumeMounts ?? []).map(({ mountPath, name }) => [mountPath, name]));
    const config = readTrainerConfig(environmentOf({ name: 'trainer', image: 'atelier-trainer:cpu' }));
    assert.equal(from, config.modelsDirectory, 'that of the image: nothing is mounted over it');
    assert.deepEqual(mounts, { '/seed': 'seed', [to ?? '']: 'models' });
    const [{ name, files } = { name: '', files: [] }] = kustomizationOf('base').configMapGenerator ?? [];
    assert.deepEqual(podOf(trainer).volumes?.find((volume) => volume.name === 'seed')?.configMap, { name });
    assert.deepEqual(
      files.map((file) => `/seed/${file}`),
      [program],
    );
  });
});
