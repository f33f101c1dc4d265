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
  const inOrder = 0 <= start && start <= end && end <= examples.count;
  if (!inOrder || !Number.isInteger(start) || !Number.isInteger(end)) {
    throw new RangeError(`Slice ${start} to ${end}; expected integers in order from 0 to ${examples.count}.`);
  }
  return {
    images: examples.images.subarray(start * PIXELS_PER_IMAGE, end * PIXELS_PER_IMAGE),
    labels: examples.labels.subarray(start, end),
    count: end - start,
  };
}

/** Consecutive views of `batchSize` examples, an integer of at least 1; the last may be shorter, none is empty. */
export function* batches(examples: Examples, batchSize: number): Generator<Examples, void, undefined> {
  if (!Number.isInteger(batchSize) || batchSize < 1) {
    throw new RangeError(`Batch size ${batchSize}; expected an integer of at least 1.`);
  }
  for (let start = 0; start < examples.count; start += batchSize) {
    yield slice(examples, start, Math.min(start + batchSize, examples.count));
  }
}
