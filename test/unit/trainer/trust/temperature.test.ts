import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CLASS_COUNT } from '@atelier/domain';
import { fittedTemperature, TEMPERATURES } from '@atelier/trainer';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

const COUNT = 20_000;

/** Logits from -4 to 4, and labels that are drawn from softmax(logits / temperature). */
function drawn(temperature: number) {
  const generator = xoroshiro128plus(7);
  const logits = Float32Array.from({ length: COUNT * CLASS_COUNT }, () => 8 * uniformFloat64(generator) - 4);
  const labels = Uint8Array.from({ length: COUNT }, (_, row) => {
    const weights = [...logits.subarray(row * CLASS_COUNT, (row + 1) * CLASS_COUNT)].map((logit) =>
      Math.exp(logit / temperature),
    );
    let left = uniformFloat64(generator) * weights.reduce((sum, weight) => sum + weight, 0);
    return Math.max(
      0,
      weights.findIndex((weight) => (left -= weight) < 0),
    );
  });
  return { logits, labels };
}

function loss({ logits, labels }: ReturnType<typeof drawn>, temperature: number): number {
  let sum = 0;
  labels.forEach((label, row) => {
    const scaled = [...logits.subarray(row * CLASS_COUNT, (row + 1) * CLASS_COUNT)].map((logit) => logit / temperature);
    sum += Math.log(scaled.reduce((total, value) => total + Math.exp(value), 0)) - (scaled[label] ?? NaN);
  });
  return sum / labels.length;
}

describe('the temperature that is fitted', () => {
  for (const temperature of [0.6, 1, 2.5]) {
    test(`is ${temperature} where labels were drawn at ${temperature}`, () => {
      const { logits, labels } = drawn(temperature);
      const fitted = fittedTemperature(logits, labels);
      assert.ok(Math.abs(fitted / temperature - 1) < 0.03, `${fitted}`);
    });
  }

  test('has a lower loss than any beside it', () => {
    const examples = drawn(1.3);
    const fitted = fittedTemperature(examples.logits, examples.labels);
    const best = loss(examples, fitted);
    for (const factor of [0.9, 0.99, 1.01, 1.1]) assert.ok(loss(examples, fitted * factor) > best, `${factor}`);
  });

  test('stays within its limits for a network that is always right and for one that knows nothing', () => {
    const always = Float32Array.from({ length: 100 * CLASS_COUNT }, (_, place) => (place % CLASS_COUNT === 3 ? 1 : 0));
    const labels = new Uint8Array(100);
    assert.equal(fittedTemperature(always, labels.fill(3)), TEMPERATURES.lowest);
    assert.equal(fittedTemperature(always, labels.fill(5)), TEMPERATURES.highest);
  });
});
