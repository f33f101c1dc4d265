import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createContext, runInContext } from 'node:vm';
import { encodeModel } from '@atelier/onnx';
import { convert } from '@atelier/tfjs-to-onnx';
import { build } from 'esbuild';
import { sequential } from './artifacts.ts';

const source = `
  import { encodeModel } from '@atelier/onnx';
  import { convert } from '@atelier/tfjs-to-onnx';
  globalThis.converted = (artifacts) => encodeModel(convert(artifacts).model);
`;

/** What a browser has and the language alone has not. */
const BROWSER = { TextEncoder, TextDecoder };

test('in a browser bundle, without Node.js and TensorFlow.js, it writes the same bytes', async () => {
  const { outputFiles, metafile } = await build({
    stdin: { contents: source, resolveDir: fileURLToPath(new URL('.', import.meta.url)) },
    bundle: true,
    platform: 'browser', // a module of Node.js is an error
    format: 'iife',
    write: false,
    metafile: true,
  });
  const parts = Object.values(metafile.outputs).flatMap(({ inputs }) => Object.entries(inputs));
  const bundled = parts.flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : []));
  assert.ok(bundled.includes('packages/tfjs-to-onnx/src/convert.ts'));
  const libraries = bundled.flatMap((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []);
  assert.deepEqual([...new Set(libraries)], ['@bufbuild/protobuf']);

  const artifacts = sequential(
    [4],
    [['Dense', { name: 'd', units: 2, activation: 'softmax' }]],
    [
      ['d/kernel', [4, 2]],
      ['d/bias', [2]],
    ],
  );
  const { weightData, ...json } = artifacts;
  const page = createContext({ ...BROWSER, json: JSON.stringify(json), weights: [...(weightData as Uint8Array)] });
  runInContext(outputFiles[0]?.text ?? '', page);
  const call = 'Array.from(converted({ ...JSON.parse(json), weightData: Uint8Array.from(weights) }))';
  const bytes = runInContext(call, page) as number[];
  assert.deepEqual([...bytes], [...encodeModel(convert(artifacts).model)]);
});
