import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { PRODUCER, SUPPORTED_ACTIVATIONS, SUPPORTED_LAYERS } from '@atelier/tfjs-to-onnx';

const home = new URL('../../../packages/tfjs-to-onnx/', import.meta.url);

test("the README's tables list the layers and activations that the code converts, no more and no fewer", async () => {
  const readme = await readFile(new URL('README.md', home), 'utf8');
  const listed = (heading: string) => {
    const section = readme.split(/^## /m).find((part) => part.startsWith(heading)) ?? '';
    const firstCells = section.split('\n').flatMap((line) => /^\| (`.*?) *\|/.exec(line)?.[1] ?? []);
    return firstCells.flatMap((cell) => [...cell.matchAll(/`(.+?)`/g)].map(([, name]) => name)).sort();
  };
  assert.deepEqual(listed('Layers'), [...SUPPORTED_LAYERS].sort());
  assert.deepEqual(listed('Activations'), [...SUPPORTED_ACTIVATIONS].sort());
});

test('the producer version is the version of the package', async () => {
  const { version } = JSON.parse(await readFile(new URL('package.json', home), 'utf8')) as { version: string };
  assert.equal(PRODUCER.producerVersion, version);
});
