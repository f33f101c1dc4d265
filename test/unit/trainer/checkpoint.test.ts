import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Checkpoint, decodeCheckpoint, decodeSafetensors, encodeCheckpoint, type Origin } from '@atelier/trainer';
import { smallRecipe } from '../../support/small-recipe.ts';

const origin: Origin = {
  recipe: smallRecipe(),
  data: `sha256:${'1'.repeat(64)}`,
  limit: 2000,
  engine: 'tfjs',
  device: 'wasm',
  software: { atelier: '0.1.0', tfjs: '4.22.0' },
};
const checkpoint: Checkpoint = {
  origin,
  standing: {
    epoch: 5,
    reductions: 2,
    plateau: { value: 0.25, epochsSince: 1 },
    monitored: { value: null, epochsSince: 0 },
    bestEpoch: 4,
  },
  state: {
    steps: 60,
    tensors: {
      'hidden_1/kernel': { shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) },
      'optimizer/m/hidden_1/kernel': { shape: [2, 2], data: Float32Array.of(5, 6, 7, 8) },
    },
  },
};
const bytes = Buffer.concat(encodeCheckpoint(checkpoint));

describe('checkpoint', () => {
  test('gives back the state, where the training stood, and what it came from', () => {
    assert.deepEqual(decodeCheckpoint(bytes, 'last', origin), checkpoint);
  });

  test('is a safetensors file that says for itself what it is', () => {
    const { metadata, tensors } = decodeSafetensors(bytes, 'last');
    assert.equal(metadata['format'], '"atelier-checkpoint"');
    assert.equal((JSON.parse(metadata['recipe'] ?? '') as { name: string }).name, 'small');
    assert.match(metadata['digest'] ?? '', /^"sha256:[0-9a-f]{64}"$/);
    assert.deepEqual(tensors, checkpoint.state.tensors);
  });

  test('is refused when any bit of it has changed', () => {
    const header = 8 + Number(bytes.readBigUInt64LE());
    const padding = bytes.toString('latin1', 0, header).trimEnd().length;
    for (let place = 0; place < bytes.length; place++) {
      if (place >= padding && place < header) continue; // spaces behind the header say nothing
      const damaged = Buffer.from(bytes);
      damaged[place] = (damaged[place] ?? 0) ^ 1;
      const message = `byte ${place}, ${JSON.stringify(bytes.toString('latin1', place - 8, place + 8))}`;
      assert.throws(() => decodeCheckpoint(damaged, 'last', origin), { code: 'invalid-checkpoint' }, message);
    }
  });

  test('is refused when it is cut off, anywhere', () => {
    for (let length = 0; length < bytes.length; length++) {
      assert.throws(() => decodeCheckpoint(bytes.subarray(0, length), 'last', origin), { code: 'invalid-checkpoint' });
    }
  });

  const layer = { units: 16, activation: 'relu', batchNormalization: 'before-activation', dropout: 0.2 } as const;
  const OTHERS: [Partial<Origin>, RegExp][] = [
    [{ recipe: smallRecipe({ seed: 8 }) }, /^last: recipe\.seed: expected 8, found 7\.$/],
    [
      { recipe: smallRecipe({ hiddenLayers: [{ ...layer, units: 32 }] }) },
      /^last: recipe\.hiddenLayers\.0\.units: expected 32, found 16\.$/,
    ],
    [
      { recipe: smallRecipe({ hiddenLayers: [layer, layer] }) },
      /^last: recipe\.hiddenLayers\.1: expected \{.*\}, found nothing/,
    ],
    [{ data: `sha256:${'2'.repeat(64)}` }, /^last: data: expected "sha256:2+", found "sha256:1+"\.$/],
    [{ limit: null }, /^last: limit: expected null, found 2000\.$/],
    [{ engine: 'onnx' }, /^last: engine: expected "onnx", found "tfjs"\.$/],
    [{ device: 'cuda' }, /^last: device: expected "cuda", found "wasm"\.$/],
  ];
  for (const [change, message] of OTHERS) {
    test(`of another ${Object.keys(change).join()} is refused and says which field differs: ${message.source}`, () => {
      const expected = { ...origin, ...change };
      assert.throws(() => decodeCheckpoint(bytes, 'last', expected), { code: 'invalid-checkpoint', message });
    });
  }

  test('of a version that this program does not know is refused', () => {
    const { length } = '"version":"1"';
    const place = bytes.indexOf('"version":"1"');
    const newer = Buffer.from(bytes);
    newer.write('"version":"9"', place, length);
    assert.throws(() => decodeCheckpoint(newer, 'last', origin), {
      code: 'invalid-checkpoint',
      message: /^last: version: .*expected 1/,
    });
  });
});
