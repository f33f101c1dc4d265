import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { chooseEngine } from '@atelier/trainer';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';

/** Sums of at most 8 products of integers up to 9: exact in float32. */
const dimension = fc.integer({ min: 1, max: 8 });

describe("tfjs' WebAssembly backend as we set it up", () => {
  before(() => chooseEngine('tfjs'));

  test('multiplies plain, transposed and stacked matrices exactly, and leaks none', () => {
    assert.equal(tf.getBackend(), 'wasm');
    const tensors = tf.memory().numTensors;
    fc.assert(
      fc.property(
        dimension,
        dimension,
        dimension,
        fc.integer({ min: 1, max: 3 }),
        fc.boolean(),
        fc.boolean(),
        (...drawn) => {
          const [rows, inner, columns, stack, transposeA, transposeB] = drawn;
          const a = (matrix: number, row: number, place: number) => ((matrix * 31 + row * 7 + place * 3) % 19) - 9;
          const b = (matrix: number, place: number, column: number) =>
            ((matrix * 17 + place * 5 + column * 11) % 19) - 9;
          const stored = (height: number, width: number, value: (matrix: number, y: number, x: number) => number) =>
            tf.tensor3d(cells(stack, height, width, value), [stack, height, width]);
          const left = transposeA ? stored(inner, rows, (m, y, x) => a(m, x, y)) : stored(rows, inner, a);
          const right = transposeB ? stored(columns, inner, (m, y, x) => b(m, x, y)) : stored(inner, columns, b);
          const product = tf.matMul(left, right, transposeA, transposeB);
          const expected = cells(stack, rows, columns, (m, row, column) => {
            let sum = 0;
            for (let place = 0; place < inner; place++) sum += a(m, row, place) * b(m, place, column);
            return sum;
          });
          assert.deepEqual([...product.dataSync()], expected);
          tf.dispose([left, right, product]);
        },
      ),
    );
    assert.equal(tf.memory().numTensors, tensors);
  });
});

/** [stack, height, width], row-major. */
function cells(
  stack: number,
  height: number,
  width: number,
  value: (m: number, y: number, x: number) => number,
): number[] {
  const result: number[] = [];
  for (let m = 0; m < stack; m++) {
    for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) result.push(value(m, y, x));
  }
  return result;
}
