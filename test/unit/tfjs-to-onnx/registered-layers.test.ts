import assert from 'node:assert/strict';
import { test } from 'node:test';
import { convert, LAYER_RULES } from '@atelier/tfjs-to-onnx';
import { serialization } from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';
import { sequential } from './artifacts.ts';

/** Classes whose layers are read as models, or as inputs of the graph: no rule makes them. */
const WITHOUT_RULE = ['Functional', 'InputLayer', 'Model', 'Sequential'];

/** Every class that TensorFlow.js can load as a layer: the others are initialisers, constraints, optimisers and the like. */
function registeredLayers(): string[] {
  const { classNameMap } = serialization.SerializationMap.getMap();
  const isLayer = (constructor: unknown) =>
    typeof constructor === 'function' && (constructor as { prototype: unknown }).prototype instanceof layers.Layer;
  return Object.entries(classNameMap).flatMap(([name, [constructor]]) => (isLayer(constructor) ? [name] : []));
}

test('every class of layers that TensorFlow.js registers is converted, or refused with a reason and a way out', () => {
  const registered = registeredLayers();
  assert.equal(registered.length, 69);
  const missing = registered.filter((name) => !Object.hasOwn(LAYER_RULES, name) && !WITHOUT_RULE.includes(name));
  assert.deepEqual(missing, []);
});

test('classes that are marked as beyond TensorFlow.js are not registered there, and the others are', () => {
  const registered = new Set(registeredLayers());
  for (const [name, rule] of Object.entries<object>(LAYER_RULES)) {
    assert.equal(registered.has(name), !('isBeyondTfjs' in rule), name);
  }
});

test('a refused class says why in a whole sentence, and the nearest way out in another', () => {
  for (const [name, rule] of Object.entries<object>(LAYER_RULES)) {
    if (!('refused' in rule)) continue;
    assert.match(String(rule.refused), /^[A-Z].*\. [A-Z].*\.$/, name);
    assert.throws(() => convert(sequential([4], [[name, { name: 'it' }]])), {
      code: 'unsupported-layer',
      message: `Layer "it" is a ${name}, which cannot be converted. ${String(rule.refused)}`,
    });
  }
});
