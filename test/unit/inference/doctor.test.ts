import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Check } from '@atelier/doctor';
import { decodersCheck, inferenceDeviceChecks, versionCheck } from '@atelier/inference';
import { damageModel, publishTiny } from '../../support/published-version.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const fragile = fileURLToPath(new URL('../../support/fragile-compute.mjs', import.meta.url));

const named = (checks: Check[], name: string) => checks.find((check) => check.name === name) ?? assert.fail(name);

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
before(async () => (folder = await temporaryFolder()));
after(() => folder.remove());

describe('a run on a device, by the doctor', () => {
  const cuda = async (behaviour: string) => {
    process.env['FRAGILE_CUDA'] = behaviour;
    try {
      return await named(inferenceDeviceChecks('cuda', fragile), 'inference-cuda').examine();
    } finally {
      delete process.env['FRAGILE_CUDA'];
    }
  };

  test('that kills its process is a fault, and the doctor lives', async () => {
    const { status, summary, remedy } = await cuda('kills');
    assert.equal(status, 'fault');
    assert.match(summary, /^driver: it ended the compute process: It ended by exit code 9/);
    assert.match(remedy ?? '', /^nvidia-smi must list a GPU/);
  });

  test('without a GPU is a fault in the words of CUDA; where it is not asked for, a note', async () => {
    assert.match((await cuda('none')).summary, /^driver: CUDA failure 100: no CUDA-capable device is detected$/);
    const unasked = await named(inferenceDeviceChecks('auto', fragile), 'inference-cuda').examine();
    assert.equal(unasked.status, 'note');
  });

  test('that gives the numbers that it must is a device that can be used', async () => {
    const works = await cuda('works');
    assert.deepEqual([works.status, works.facts?.['usable']], ['ok', true]);
  });
});

describe('the decoders of pictures, by the doctor', () => {
  const examine = async (code: string) => {
    const entry = join(folder.path, 'decoders.mjs');
    await writeFile(entry, code);
    return decodersCheck(entry).examine();
  };
  const answer = (read: string[], refused: string[]) =>
    `console.log(${JSON.stringify(JSON.stringify({ sharp: '1', libvips: '2', read, refused }))});`;
  const ALL = ['JPEG', 'PNG', 'WebP', 'GIF', 'TIFF', 'AVIF'];

  test('read what clients may send, and refuse SVG', async () => {
    const { status, facts } = await decodersCheck().examine();
    assert.deepEqual([status, facts?.['read'], facts?.['refused']], ['ok', ALL, ['SVG', 'PPM']]);
  });

  test('that do not load, or crash, are a fault', async () => {
    const missing = await examine("throw new Error('Could not load the sharp module using the linux-x64 runtime');");
    assert.equal(missing.status, 'fault');
    assert.match(missing.summary, /^sharp does not work: .*Could not load the sharp module/);
    assert.match(
      (await examine("process.kill(process.pid, 'SIGSEGV'); setTimeout(() => {}, 9000);")).summary,
      /SIGSEGV/,
    );
  });

  test('that lack a format, or read one that nobody may send, are a fault', async () => {
    assert.match((await examine(answer(ALL.slice(1), ['JPEG']))).summary, /; not JPEG$/);
    assert.equal((await examine(answer([...ALL, 'SVG'], []))).status, 'fault');
  });
});

describe('the published version, by the doctor', () => {
  const examine = (modelsDirectory: string) => versionCheck({ modelsDirectory, modelName: 'fashion-mlp' }).examine();

  test('is the newest whose file is whole; an older one is named with what is wrong with the newer', async () => {
    const root = join(folder.path, 'models');
    await publishTiny(root);
    assert.deepEqual((await examine(root)).summary, 'fashion-mlp version 1');
    await damageModel(await publishTiny(root));
    const { status, summary, facts } = await examine(root);
    assert.deepEqual([status, facts?.['version']], ['note', 1]);
    assert.match(summary, /^fashion-mlp version 1, as newer ones are damaged: .*2\/model\.onnx has digest sha256:/);
  });

  test('is named with a newer one whose manifest cannot be read', async () => {
    const root = join(folder.path, 'half');
    await publishTiny(root);
    const { directory } = await publishTiny(root);
    await writeFile(join(directory, 'manifest.json'), '{ half');
    const { status, summary, facts } = await examine(root);
    assert.deepEqual([status, facts?.['version']], ['note', 1]);
    assert.match(summary, /^fashion-mlp version 1, as newer ones are damaged: .*2: .*manifest/);
  });

  test('is a fault where every file is damaged, as the service would serve nothing, and where there is none', async () => {
    const root = join(folder.path, 'damaged');
    assert.match((await examine(root)).summary, /^No version of "fashion-mlp" in /);
    await damageModel(await publishTiny(root));
    const { status, summary, remedy } = await examine(root);
    assert.equal(status, 'fault');
    assert.match(summary, /^no version of fashion-mlp can be served: .*1\/model\.onnx has digest sha256:/);
    assert.match(remedy ?? '', /^Put a whole copy/);
  });
});
