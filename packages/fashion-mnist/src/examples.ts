import { PIXELS_PER_IMAGE } from '@atelier/domain';

/** Labelled images. */
export interface Examples {
  /** [count, 28, 28] row-major, 0 background to 255 brightest. */
  readonly images: Uint8Array;
  /** [count], class indices 0 to 9. */
  readonly labels: Uint8Array;
  readonly count: number;
}

/** Copies of the examples at `indices`, in their order; an index of no example is a `RangeError`. */
export function select(examples: Examples, indices: Uint32Array): Examples {
  const images = new Uint8Array(indices.length * PIXELS_PER_IMAGE);
  const labels = new Uint8Array(indices.length);
  indices.forEach((index, position) => {
    const label = examples.labels[index];
    if (label === undefined) throw new RangeError(`Index ${index}; expected one of ${examples.count} examples.`);
    const image = examples.images.subarray(index * PIXELS_PER_IMAGE, (index + 1) * PIXELS_PER_IMAGE);
    images.set(image, position * PIXELS_PER_IMAGE);
    labels[position] = label;
  });
  return { images, labels, count: indices.length };
}

/**
 * The examples from `start` to before `end` as views: no copy, and a write to one is seen in the other.
 * Anything but 0 <= start <= end <= count is a `RangeError`.
 */
export function slice(examples: Examples, start: number, end: number): Examples {
  requireRange(examples.count, start, end);
  return {
    images: examples.images.subarray(start * PIXELS_PER_IMAGE, end * PIXELS_PER_IMAGE),
    labels: examples.labels.subarray(start, end),
    count: end - start,
  };
}

/** Consecutive views of `batchSize` examples, an integer of at least 1; the last may be shorter, none is empty. */
export function* batches(examples: Examples, batchSize: number): Generator<Examples, void, undefined> {
  for (const [start, end] of batchRanges(examples.count, batchSize)) yield slice(examples, start, end);
}

/** First and last plus one of each batch of `count` examples; a size that is no integer of at least 1 is a `RangeError`. */
export function* batchRanges(count: number, batchSize: number): Generator<[number, number], void, undefined> {
  if (!Number.isInteger(batchSize) || batchSize < 1) {
    throw new RangeError(`Batch size ${batchSize}; expected an integer of at least 1.`);
  }
  for (let start = 0; start < count; start += batchSize) yield [start, Math.min(start + batchSize, count)];
}

export function requireRange(count: number, start: number, end: number): void {
  const inOrder = 0 <= start && start <= end && end <= count;
  if (inOrder && Number.isInteger(start) && Number.isInteger(end)) return;
  throw new RangeError(`Slice ${start} to ${end}; expected integers in order from 0 to ${count}.`);
}
