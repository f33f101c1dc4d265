import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { DomainError } from '@atelier/domain';
import { convert } from '@atelier/tfjs-to-onnx';
import { readLayersModel } from '@atelier/tfjs-to-onnx/node';
import { sequential } from './artifacts.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tfjs-model-'));
  await mkdir(join(folder, 'model'));
});
after(() => rm(folder, { recursive: true }));

const { modelTopology } = sequential([2], [['Dense', { name: 'd', units: 1 }]]);
const kernel = { name: 'd/kernel', shape: [2, 1], dtype: 'float32' };
const bias = { name: 'd/bias', shape: [1], dtype: 'float32' };
const bytes = Buffer.from(Float32Array.of(1, 2, 3).buffer);

async function writeModel(weightsManifest: unknown, files: Record<string, Uint8Array>): Promise<string> {
  const path = join(folder, 'model', 'model.json');
  await writeFile(
    path,
    JSON.stringify({
      format: 'layers-model',
      generatedBy: 'a test',
      convertedBy: null,
      modelTopology,
      weightsManifest,
    }),
  );
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, 'model', name), content);
  return path;
}

async function assertRefused(path: string, reason: RegExp): Promise<void> {
  await assert.rejects(readLayersModel(path), (error: unknown) => {
    assert.ok(error instanceof DomainError && error.code === 'malformed-tfjs-model', String(error));
    assert.match(error.message, reason);
    return true;
  });
}

test('shards are joined over all groups and files, wherever they were cut', async () => {
  const path = await writeModel(
    [
      { paths: ['./group1-shard1of2.bin', 'group1-shard2of2.bin'], weights: [kernel] },
      { paths: ['group2.bin'], weights: [bias] },
    ],
    {
      'group1-shard1of2.bin': bytes.subarray(0, 3),
      'group1-shard2of2.bin': bytes.subarray(3, 8),
      'group2.bin': bytes.subarray(8),
    },
  );
  const artifacts = await readLayersModel(path);
  assert.deepEqual(artifacts.weightData, new Uint8Array(bytes));
  const { model, summary } = convert(artifacts);
  assert.equal(summary.parameters, 3);
  assert.equal(model.metadata['source_generated_by'], 'a test');
});

test('a path may have spaces, plain or URL-encoded', async () => {
  const weights = [kernel, bias];
  const files = { 'my weights.bin': bytes, '100%.bin': bytes };
  for (const name of ['my weights.bin', 'my%20weights.bin', '100%.bin']) {
    const artifacts = await readLayersModel(await writeModel([{ paths: [name], weights }], files));
    assert.deepEqual(artifacts.weightData, new Uint8Array(bytes));
  }
});

for (const name of ['../secret.bin', '/etc/hostname', 'a/../../secret.bin', '%2e%2e/secret.bin', '..']) {
  test(`the weight path ${name} leaves the folder of model.json and is refused`, async () => {
    await writeFile(join(folder, 'secret.bin'), bytes);
    const path = await writeModel([{ paths: [name], weights: [kernel, bias] }], {});
    await assertRefused(path, /names the weight file ".*"; expected one inside its folder/);
  });
}

test('a missing weight file is named', async () => {
  const path = await writeModel([{ paths: ['gone.bin'], weights: [kernel, bias] }], {});
  await assertRefused(path, /^Weight file "gone\.bin" of .*model\.json cannot be read: ENOENT/);
});

test('a weight file that is too short is named', async () => {
  const path = await writeModel([{ paths: ['short.bin'], weights: [kernel, bias] }], {
    'short.bin': bytes.subarray(1),
  });
  await assertRefused(path, /"d\/bias" \(float32 \[1\]\) ends at byte 12 of short\.bin; it has 11 bytes/);
});

test('a missing model.json and one that is no JSON are named', async () => {
  await assertRefused(join(folder, 'nowhere.json'), /nowhere\.json cannot be read: ENOENT/);
  await writeFile(join(folder, 'broken.json'), '{');
  await assertRefused(join(folder, 'broken.json'), /broken\.json is not JSON/);
});
