import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, test } from 'node:test';
import { type Frame, readFrames, writeFrame } from '@atelier/inference';
import fc from 'fast-check';

interface Head {
  text: string;
}

/** What is written for frames, as one piece. */
function wireOf(frames: readonly Frame<Head>[]): Buffer {
  const pipe = new PassThrough({ highWaterMark: 1 << 30 });
  for (const { head, bytes } of frames) writeFrame(pipe, head, bytes);
  return Buffer.from((pipe.read() as Buffer | null) ?? []);
}

/** Reads `wire` in pieces of these lengths, the last one as long as is left. */
function readInPieces(wire: Buffer, lengths: readonly number[], maximumBytes = Infinity) {
  const pipe = new PassThrough({ highWaterMark: 1 << 30 });
  const frames: Frame<Head>[] = [];
  const faults: string[] = [];
  readFrames<Head>(pipe, (frame) => frames.push(frame), { maximumBytes, refuse: (fault) => faults.push(fault) });
  let start = 0;
  for (const length of [...lengths, wire.length]) {
    pipe.emit('data', wire.subarray(start, start + length));
    start += length;
    if (start >= wire.length) break;
  }
  return { frames, faults };
}

const anyFrame = fc.record({ head: fc.record({ text: fc.string({ unit: 'binary' }) }), bytes: fc.uint8Array() });

describe('frames', () => {
  test('come out as they went in, however the pipe cuts them', () => {
    fc.assert(
      fc.property(
        fc.array(anyFrame, { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 40 })),
        (frames, lengths) => {
          const read = readInPieces(wireOf(frames), lengths);
          assert.deepEqual(read.faults, []);
          assert.deepEqual(
            read.frames.map(({ head, bytes }) => ({ text: head.text, bytes: [...bytes] })),
            frames.map(({ head, bytes }) => ({ text: head.text, bytes: [...bytes] })),
          );
        },
      ),
      { seed: 6, numRuns: 300 },
    );
  });

  test('come byte by byte, too, and their bytes begin where floats may', () => {
    const floats = Float32Array.of(1.5, -2.5);
    const wire = wireOf(
      ['a', 'ab', 'abc', 'abcd'].map((text) => ({ head: { text }, bytes: new Uint8Array(floats.buffer) })),
    );
    const { frames } = readInPieces(wire, Array<number>(wire.length).fill(1));
    assert.equal(frames.length, 4);
    for (const { bytes } of frames) assert.deepEqual(new Float32Array(bytes.buffer, bytes.byteOffset, 2), floats);
  });

  test('that announce more than they may are refused before it has come', () => {
    const prefix = Buffer.alloc(8, 0xff);
    const { frames, faults } = readInPieces(prefix, [], 1000);
    assert.deepEqual(faults, ['a frame of 8589934598 bytes; at most 1000 are taken']);
    assert.deepEqual(frames, []);
  });

  test('whose head is no object are refused, and nothing after them is read', () => {
    const good = { head: { text: 'good' }, bytes: new Uint8Array(3) };
    for (const head of ['', 'null', '7', '"text"', '{"text":', '\0\0']) {
      const bad = Buffer.alloc(8);
      bad.writeUInt32LE(Buffer.byteLength(head), 0);
      const wire = Buffer.concat([wireOf([good]), bad, Buffer.from(head), wireOf([good])]);
      const { frames, faults } = readInPieces(wire, [5]);
      assert.equal(frames.length, 1);
      assert.deepEqual(faults, ['a frame whose head is no object in JSON']);
    }
  });
});
