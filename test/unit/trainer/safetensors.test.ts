import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decodeSafetensors, encodeSafetensors } from '@atelier/trainer';
import fc from 'fast-check';

/** A file written by hand from the format's description. */
function file(header: unknown, data: Uint8Array = new Uint8Array()): Uint8Array {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, data]);
}

const floats = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer);

describe('safetensors', () => {
  test('read a file that is written by hand, in any order of its tensors, with spaces behind the header', () => {
    const header = {
      second: { dtype: 'F32', shape: [], data_offsets: [8, 12] },
      first: { dtype: 'F32', shape: [1, 2], data_offsets: [0, 8] },
      empty: { dtype: 'F32', shape: [0, 3], data_offsets: [12, 12] },
      __metadata__: { author: 'a hand' },
    };
    const { metadata, tensors } = decodeSafetensors(file(`${JSON.stringify(header)}   `, floats(1.5, -2, 3)), 'x');
    assert.deepEqual({ ...metadata }, { author: 'a hand' });
    assert.deepEqual(tensors, {
      first: { shape: [1, 2], data: Float32Array.of(1.5, -2) },
      second: { shape: [], data: Float32Array.of(3) },
      empty: { shape: [0, 3], data: new Float32Array() },
    });
  });

  test('give back every bit, NaN and the smallest numbers too', () => {
    const tensor = fc
      .array(fc.integer({ min: 0, max: 2 ** 32 - 1 }), { maxLength: 20 })
      .map((words) => ({ shape: [words.length], data: new Float32Array(Uint32Array.from(words).buffer) }));
    const name = fc.string({ minLength: 1 }).filter((text) => !text.startsWith('__'));
    fc.assert(
      fc.property(fc.dictionary(name, tensor), fc.dictionary(name, fc.string()), (tensors, metadata) => {
        const bytes = Buffer.concat(encodeSafetensors({ metadata, tensors }));
        const decoded = decodeSafetensors(bytes, 'x');
        assert.deepEqual({ ...decoded.metadata }, { ...metadata });
        assert.deepEqual(Object.keys(decoded.tensors).sort(), Object.keys(tensors).sort());
        for (const [key, { shape, data }] of Object.entries(tensors)) {
          const found = decoded.tensors[key];
          assert.deepEqual(found?.shape, shape);
          assert.deepEqual(new Uint32Array(found?.data.buffer ?? []), new Uint32Array(data.buffer));
        }
      }),
    );
  });

  test('begin their data at a multiple of eight bytes', () => {
    for (const letters of ['a', 'ab', 'abc', 'abcd', 'abcde']) {
      const [start] = encodeSafetensors({ metadata: { letters }, tensors: {} });
      assert.equal((start?.length ?? 1) % 8, 0);
    }
  });

  const entry = { dtype: 'F32', shape: [2], data_offsets: [0, 8] };
  const REFUSED: [string, Uint8Array, RegExp][] = [
    ['an empty file', new Uint8Array(), /x: header length: expected 8 bytes, found 0/],
    ['a header longer than the file', file('{}').subarray(0, 9), /header length: expected at most 1, found 2/],
    ['a header that is no JSON', file('{"a'), /x: header: .*JSON/],
    ['a header that is no object', file('[]'), /header: expected an object/],
    ['metadata that are no texts', file({ __metadata__: { epoch: 3 } }), /__metadata__\.epoch: expected a string/],
    ['another type of numbers', file({ w: { ...entry, dtype: 'F16' } }, floats(1, 2)), /"w" dtype: .*"F16"/],
    ['a shape that is none', file({ w: { ...entry, shape: [-2] } }, floats(1, 2)), /"w" shape: .*\[-2\]/],
    ['a shape of another size', file({ w: { ...entry, shape: [3] } }, floats(1, 2)), /"w" data_offsets: .*12 bytes/],
    ['data that are cut off', file({ w: entry }, floats(1)), /"w": expected bytes from 0 on, in 4 bytes/],
    ['data that nobody claims', file({ w: entry }, floats(1, 2, 3)), /x: data: expected 8 bytes, found 12/],
    ['a gap', file({ w: { ...entry, data_offsets: [4, 12] } }, floats(1, 2, 3)), /"w": expected bytes from 0 on/],
    ['two tensors in one place', file({ v: entry, w: entry }, floats(1, 2)), /"w": expected bytes from 8 on/],
  ];
  for (const [what, bytes, message] of REFUSED) {
    test(`refuse ${what}`, () => {
      assert.throws(() => decodeSafetensors(bytes, 'x'), { code: 'invalid-checkpoint', message });
    });
  }
});
