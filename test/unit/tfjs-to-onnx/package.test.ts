import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { withLayers } from '../../../packages/tfjs-to-onnx/layer-tables.ts';
import { LAYER_RULES, PRODUCER, RULE_TABLES, SUPPORTED_ACTIVATIONS, SUPPORTED_LAYERS } from '@atelier/tfjs-to-onnx';

const home = new URL('../../../packages/tfjs-to-onnx/', import.meta.url);

test("the README's tables are what the rules say: `npm run generate:layers` writes them", async () => {
  const readme = await readFile(new URL('README.md', home), 'utf8');
  assert.equal(withLayers(readme), readme);
  for (const name of [...SUPPORTED_LAYERS, ...SUPPORTED_ACTIVATIONS]) assert.ok(readme.includes(`\`${name}\``), name);
});

test('the producer version is the version of the package', async () => {
  const { version } = JSON.parse(await readFile(new URL('package.json', home), 'utf8')) as { version: string };
  assert.equal(PRODUCER.producerVersion, version);
});

test('each class of layers has a row in one table', () => {
  const rows = RULE_TABLES.flatMap((table) => Object.keys(table));
  assert.deepEqual(
    rows.filter((name, index) => rows.indexOf(name) !== index),
    [],
  );
  assert.deepEqual(rows.sort(), Object.keys(LAYER_RULES).sort());
});
