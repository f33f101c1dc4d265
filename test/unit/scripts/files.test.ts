import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { namedShape } from '../../../scripts/src/arguments.ts';
import { writeWholeFiles } from '../../../scripts/src/files.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

let parent: Awaited<ReturnType<typeof temporaryFolder>>;
let folder: string;
let count = 0;
before(async () => {
  parent = await temporaryFolder();
});
beforeEach(async () => {
  folder = join(parent.path, String(++count));
  await mkdir(folder);
});
after(() => parent.remove());

const CONTENTS = { 'm.onnx': [Uint8Array.of(65), Uint8Array.of(66, 67)], 'm.onnx.data': [] };

test('files that belong together are written from their chunks, and seen by the check before they are in place', async () => {
  const isKept = await writeWholeFiles(folder, CONTENTS, async (part) => {
    assert.deepEqual((await readdir(part)).sort(), ['m.onnx', 'm.onnx.data']);
    await assert.rejects(readFile(join(folder, 'm.onnx')));
    return true;
  });
  assert.ok(isKept);
  assert.deepEqual((await readdir(folder)).sort(), ['m.onnx', 'm.onnx.data']);
  assert.equal(await readFile(join(folder, 'm.onnx'), 'utf8'), 'ABC');
});

test('files that are not good leave nothing, and what was there before', async () => {
  await writeFile(join(folder, 'm.onnx'), 'older');
  assert.equal(await writeWholeFiles(folder, CONTENTS, async () => false), false);
  const failure = new Error('the check itself failed');
  await assert.rejects(
    writeWholeFiles(folder, CONTENTS, () => Promise.reject(failure)),
    failure,
  );
  assert.deepEqual(await readdir(folder), ['m.onnx']);
  assert.equal(await readFile(join(folder, 'm.onnx'), 'utf8'), 'older');
});

test('a file that cannot be written is named, and leaves nothing', async () => {
  await mkdir(join(folder, 'm.onnx', 'full'), { recursive: true });
  await assert.rejects(writeWholeFiles(folder, CONTENTS), /m\.onnx cannot be written: /);
  assert.ok((await readdir(folder)).every((name) => !name.includes('part')));
  await assert.rejects(
    writeWholeFiles(join(folder, 'nowhere'), CONTENTS),
    /nowhere.*m\.onnx cannot be written: ENOENT/,
  );
});

test('no listener for signals stays behind', async () => {
  const listeners = process.listenerCount('SIGINT');
  await writeWholeFiles(folder, CONTENTS);
  assert.equal(process.listenerCount('SIGINT'), listeners);
});

test('shapes are read by name, with open sizes', () => {
  assert.deepEqual(namedShape('image=?,224, 3', namedShape('a=b=-1', {})), { 'a=b': [null], image: [null, 224, 3] });
  for (const wrong of ['', 'x', '=1', 'x=', 'x=1,,2', 'x=0', 'x=1.5', 'x=-2', 'x=1e3', 'x=9999999999']) {
    assert.throws(() => namedShape(wrong, {}), /Expected an input and its sizes/, wrong);
  }
});
