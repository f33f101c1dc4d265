import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DomainError } from '@atelier/domain';
import { joinGroups, readModelJson } from '@atelier/tfjs-to-onnx';

function refusal(json: unknown): string {
  try {
    readModelJson(json, 'model.json');
  } catch (error) {
    assert.ok(error instanceof DomainError && error.code === 'malformed-tfjs-model', String(error));
    return error.message;
  }
  assert.fail('it was accepted');
}

/** A list in a list in a list, `depth` of them. */
function nested(depth: number): unknown {
  let value: unknown = [];
  for (let level = 1; level < depth; level++) value = [value];
  return value;
}

test('a graph model is told by its format or by its operators, with what converts it and what makes layers models', () => {
  const graphs = [
    { format: 'graph-model', modelTopology: {}, weightsManifest: [] },
    { modelTopology: { node: [], library: {}, versions: {} }, weightsManifest: [] },
    { format: 'layers-model', modelTopology: { library: {} }, weightsManifest: [] },
  ];
  for (const graph of graphs) {
    const message = refusal(graph);
    for (const word of ['graph model', 'tf2onnx.convert --tfjs', 'model.save', '--output_format=tfjs_layers_model']) {
      assert.ok(message.includes(word), `${word} is missing in: ${message}`);
    }
  }
});

test('weights without a model and a model without weights are told apart', () => {
  assert.match(refusal([{ paths: ['group1.bin'], weights: [] }]), /a list of weight files without a model/);
  assert.match(refusal({ class_name: 'Sequential', config: [] }), /layers without weights, as to_json of Keras gives/);
});

test('JSON that is nested too deeply, or describes more than any model, is refused without recursion', () => {
  const source = (modelTopology: unknown) => ({ modelTopology, weightsManifest: [] });
  assert.match(refusal(source(nested(100_000))), /model\.json is nested more than 200 levels deep/);
  readModelJson(source(nested(150)), 'model.json');
  const many = Array.from({ length: 200_001 }, () => ({ class_name: 'ReLU' }));
  assert.match(refusal(source(many)), /more than 200000 objects with a class_name/);
});

test('the pieces of all groups are the weight data, none of them joined', () => {
  const weight = (name: string, size: number) => ({ name, shape: [size], dtype: 'bool' });
  const pieces = [Uint8Array.of(1), Uint8Array.of(2, 3), Uint8Array.of(4)];
  const groups = [
    { paths: ['a', 'b'], weights: [weight('x', 3)] },
    { paths: ['c'], weights: [weight('y', 1)] },
    { paths: [], weights: [] },
  ];
  const { weightData } = joinGroups({ groups }, [pieces.slice(0, 2), pieces[2] ?? assert.fail()]);
  assert.deepEqual(weightData, pieces);
  assert.ok((weightData as Uint8Array[]).every((piece, index) => piece === pieces[index]));
});
