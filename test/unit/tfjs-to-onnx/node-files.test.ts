import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { DomainError } from '@atelier/domain';
import { convert, type LayersModelArtifacts } from '@atelier/tfjs-to-onnx';
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

const joined = ({ weightData }: LayersModelArtifacts) => Buffer.concat(weightData as Uint8Array[]);

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
  assert.deepEqual(joined(artifacts), bytes);
  assert.equal((artifacts.weightData as Uint8Array[]).length, 2, 'one buffer for the files of a group');
  const { model, summary } = convert(artifacts);
  assert.equal(summary.parameters, 3);
  assert.equal(model.metadata['source_generated_by'], 'a test');
});

test('a path may have spaces, plain or URL-encoded', async () => {
  const weights = [kernel, bias];
  const files = { 'my weights.bin': bytes, '100%.bin': bytes };
  for (const name of ['my weights.bin', 'my%20weights.bin', '100%.bin']) {
    const artifacts = await readLayersModel(await writeModel([{ paths: [name], weights }], files));
    assert.deepEqual(joined(artifacts), bytes);
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
  await assertRefused(
    path,
    /^Weight file "gone\.bin" of .*model\.json is missing; expected all files of its weightsManifest in the same folder\.$/,
  );
});

test('a weight file that is too short is named', async () => {
  const path = await writeModel([{ paths: ['short.bin'], weights: [kernel, bias] }], {
    'short.bin': bytes.subarray(1),
  });
  await assertRefused(path, /"d\/bias" \(float32 \[1\]\) ends at byte 12 of short\.bin; it has 11 bytes/);
});

test('files that are too short or too long together are named with the size of each', async () => {
  const path = await writeModel([{ paths: ['a.bin', 'b.bin'], weights: [kernel, bias] }], {
    'a.bin': bytes.subarray(0, 5),
    'b.bin': bytes,
  });
  await assertRefused(path, /^The weights take 12 bytes of a\.bin \(5 bytes\), b\.bin \(12 bytes\); it has 17\.$/);
});

test('a weight that claims more than the file has is refused without reading, and without making room for it', async () => {
  const huge = { ...kernel, shape: [1e9, 1e9] };
  await assertRefused(await writeModel([{ paths: ['w.bin'], weights: [huge] }], { 'w.bin': bytes }), /it has 12 bytes/);
  const path = await writeModel([{ paths: ['sparse.bin'], weights: [kernel] }], { 'sparse.bin': bytes });
  await truncate(join(folder, 'model', 'sparse.bin'), 2 ** 42);
  await assertRefused(path, /The weights take 8 bytes of sparse\.bin; it has 4398046511104/);
});

test('a weight file that is a folder or a pipe is refused, not waited for', async () => {
  await mkdir(join(folder, 'model', 'folder.bin'));
  await assertRefused(await writeModel([{ paths: ['folder.bin'], weights: [] }], {}), /"folder\.bin".* is a folder/);
  if (process.platform === 'win32') return;
  execFileSync('mkfifo', [join(folder, 'model', 'pipe.bin')]);
  await assertRefused(await writeModel([{ paths: ['pipe.bin'], weights: [kernel] }], {}), /"pipe\.bin".* is no file/);
});

test('strings among the weights are read, whose sizes only the file knows', async () => {
  const text = { name: 'x/words', shape: [1], dtype: 'string' };
  const words = Buffer.from([3, 0, 0, 0, 65, 66, 67]);
  const path = await writeModel([{ paths: ['w.bin'], weights: [text, kernel, bias] }], {
    'w.bin': Buffer.concat([words, bytes]),
  });
  assert.equal(convert(await readLayersModel(path)).summary.parameters, 3);
});

test('a byte order mark before the JSON does no harm', async () => {
  const path = join(folder, 'model', 'marked.json');
  await writeFile(path, `\uFEFF${JSON.stringify({ modelTopology, weightsManifest: [] })}`);
  assert.deepEqual((await readLayersModel(path)).modelTopology, modelTopology);
});

test('a missing model.json and one that is no JSON are named', async () => {
  await assertRefused(join(folder, 'nowhere.json'), /nowhere\.json cannot be read: ENOENT/);
  await writeFile(join(folder, 'broken.json'), '{');
  await assertRefused(join(folder, 'broken.json'), /broken\.json is not JSON/);
});

test('a folder is refused with the file in it that was meant', async () => {
  await writeModel([], {});
  await assertRefused(join(folder, 'model'), /model is a folder; give .*model\/model\.json\.$/);
  await assertRefused(
    join(folder, 'model', 'folder.bin'),
    /is a folder; expected a model\.json, and there is none in it/,
  );
});

const OTHERS: [name: string, content: string | Uint8Array, reason: RegExp][] = [
  ['m.h5', Buffer.from('\x89HDF\r\n\x1a\n...', 'latin1'), /is an HDF5 file.*--input_format=keras .*tfjs_layers_model/],
  [
    'm.keras',
    Buffer.from('PK\x03\x04...', 'latin1'),
    /is a ZIP archive; of a \.keras file, .*--input_format=keras_keras/,
  ],
  ['m.onnx', Uint8Array.of(8, 8), /m\.onnx is an ONNX model already/],
  ['m.pb', Uint8Array.of(8, 1), /tf2onnx converts it/],
  ['m.tflite', Buffer.from('\x1c\0\0\0TFL3', 'latin1'), /is a TensorFlow Lite model/],
  ['m.json.gz', Uint8Array.of(0x1f, 0x8b, 8), /compressed by gzip/],
  ['pointer.json', 'version https://git-lfs.github.com/spec/v1\noid sha256:0', /Git LFS.*git lfs pull/],
  ['page.json', '<!DOCTYPE html><html>', /is a web page/],
];
for (const [name, content, reason] of OTHERS) {
  test(`${name} is told apart from a model.json that is broken`, async () => {
    const path = join(folder, name);
    await writeFile(path, content);
    await assertRefused(path, reason);
  });
}

test('weights that are pointers of Git LFS are told so', async () => {
  const pointer = Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12\n');
  const path = await writeModel([{ paths: ['p.bin'], weights: [kernel, bias] }], { 'p.bin': pointer });
  await assertRefused(path, /Weight file "p\.bin" of .* is a pointer of Git LFS/);
});

test('a model.json that is too large is refused unread, with what it is', async () => {
  const path = join(folder, 'large');
  await writeFile(path, Buffer.from('\x89HDF\r\n\x1a\n', 'latin1'));
  await truncate(path, 2 ** 40);
  await assertRefused(path, /large is an HDF5 file/);
  await writeFile(path, '{');
  await truncate(path, 2 ** 40);
  await assertRefused(path, /large has 1099511627776 bytes; expected 67108864 at most/);
});

test('JSON that is nested too deeply is refused before its parser meets it', async () => {
  const path = join(folder, 'deep.json');
  await writeFile(path, '['.repeat(10_000_000));
  await assertRefused(path, /deep\.json is nested more than 200 levels deep/);
  await writeFile(path, `{"modelTopology":"${'['.repeat(1000)}\\"[","weightsManifest":[]}`);
  await readLayersModel(path);
});
