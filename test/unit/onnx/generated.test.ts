import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';

const home = new URL('../../../packages/onnx/', import.meta.url);

test('the generated code is of the onnx.proto that is there now; else run `npm run generate:onnx`', async () => {
  // Of the text with Unix line ends, as the generator takes it.
  const proto = (await readFile(new URL('proto/onnx.proto', home), 'utf8')).replaceAll('\r\n', '\n');
  const digest = createHash('sha256').update(proto).digest('hex');
  for (const file of ['onnx_pb.js', 'onnx_pb.d.ts']) {
    const [header] = (await readFile(new URL(`src/generated/${file}`, home), 'utf8')).split('\n');
    assert.ok(header?.includes(digest), `${file} is of another onnx.proto: ${header}`);
  }
});
