import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { DomainError } from '@atelier/domain';
import { readIdxExamples, readIdxImages, readIdxLabels } from '@atelier/fashion-mnist';
import fc from 'fast-check';
import { drawnExamples, idxFile } from './drawn-dataset.ts';

const { images, labels } = drawnExamples(3);
const imageFile = idxFile([3, 28, 28], images);
const labelFile = idxFile([3], labels);

const malformed = (message: RegExp) => ({ name: 'DomainError', code: 'malformed-idx', message });

test('reads back the images and labels that an IDX file was made of', () => {
  fc.assert(
    fc.property(fc.nat(4), fc.nat(), (count, seed) => {
      const examples = drawnExamples(count, seed);
      const read = readIdxExamples(
        { bytes: idxFile([count, 28, 28], examples.images), file: 'images' },
        { bytes: idxFile([count], examples.labels), file: 'labels' },
      );
      assert.deepEqual(read, examples);
    }),
  );
});

test('images and labels are views of the bytes, wherever in their buffer these begin', () => {
  const padded = Buffer.concat([Buffer.alloc(5), imageFile]).subarray(5);
  const read = readIdxImages(padded, 'images');
  padded[16] = 99;
  assert.equal(read.images[0], 99);
  assert.equal(read.images.buffer, padded.buffer);
  assert.equal(readIdxLabels(labelFile, 'labels').labels.buffer, labelFile.buffer);
});

test('the views are plain arrays, whose slice copies, even where the bytes are a Buffer', () => {
  assert.equal(Object.getPrototypeOf(readIdxImages(imageFile, 'images').images), Uint8Array.prototype);
});

test('refuses every truncation of a file, however short', () => {
  fc.assert(
    fc.property(fc.nat(imageFile.length - 1), fc.nat(labelFile.length - 1), (imageBytes, labelBytes) => {
      const truncated = malformed(/^cut: (header: expected (8|16) bytes|values: .* truncated)/);
      assert.throws(() => readIdxImages(imageFile.subarray(0, imageBytes), 'cut'), truncated);
      assert.throws(() => readIdxLabels(labelFile.subarray(0, labelBytes), 'cut'), truncated);
    }),
  );
});

test('answers arbitrary bytes with malformed-idx or a result, never with another error', () => {
  const header = fc.constantFrom([], [0, 0, 8, 3], [0, 0, 8, 1], [0, 0, 8, 1, 0, 0, 0]);
  fc.assert(
    fc.property(header, fc.uint8Array({ maxLength: 40 }), (start, rest) => {
      for (const read of [readIdxImages, readIdxLabels]) {
        try {
          read(Uint8Array.from([...start, ...rest]), 'any');
        } catch (error) {
          assert.ok(error instanceof DomainError && error.code === 'malformed-idx', String(error));
        }
      }
    }),
  );
});

const faults: [title: string, bytes: Buffer, message: RegExp][] = [
  ['an empty file', Buffer.alloc(0), /^f: header: expected 16 bytes, found 0 bytes in the whole file\.$/],
  [
    'a file of labels',
    Buffer.concat([labelFile, images]),
    /^f: magic number: expected 0x00000803, found 0x00000801\.$/,
  ],
  [
    'a gzip file',
    gzipSync(imageFile),
    /^f: magic number: .* found 0x1f8b0800, which is gzip: decompress the file first/,
  ],
  ['another height', idxFile([3, 27, 28], images), /^f: height: expected 28, found 27\.$/],
  ['another width', idxFile([3, 28, 32], images), /^f: width: expected 28, found 32\.$/],
  [
    'a missing byte',
    imageFile.subarray(0, -1),
    /^f: values: expected 2352 bytes .* found 2351: the file is truncated\.$/,
  ],
  ['trailing bytes', Buffer.concat([imageFile, labels]), /^f: values: .* found 2355: 3 too many at the end\.$/],
  ['a count beyond all memory', idxFile([2 ** 32 - 1, 28, 28], images), /^f: values: .* truncated/],
];
for (const [title, bytes, message] of faults) {
  test(`refuses ${title} as images and says what was expected and found`, () => {
    assert.throws(() => readIdxImages(bytes, 'f'), malformed(message));
  });
}

test('refuses a file of images as labels', () => {
  assert.throws(
    () => readIdxLabels(imageFile, 'f'),
    malformed(/^f: magic number: expected 0x00000801, found 0x00000803/),
  );
});

test('refuses trailing bytes after the labels', () => {
  assert.throws(() => readIdxLabels(Buffer.concat([labelFile, labels]), 'f'), malformed(/3 too many at the end/));
});

test('refuses a label above 9 and names its position', () => {
  const file = idxFile([4], Uint8Array.of(0, 9, 10, 11));
  assert.throws(
    () => readIdxLabels(file, 'f'),
    malformed(/^f: label 2 \(counted from 0\): expected 0 to 9, found 10\.$/),
  );
});

test('refuses images and labels that differ in number', () => {
  const two = { bytes: idxFile([2], labels.subarray(0, 2)), file: 'labels' };
  const message = /^labels: labels: expected 3, one for each image of images, found 2\.$/;
  assert.throws(() => readIdxExamples({ bytes: imageFile, file: 'images' }, two), malformed(message));
});
