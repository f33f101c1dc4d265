import { CLASS_COUNT, DomainError, PIXELS_PER_IMAGE } from '@atelier/domain';
import type { UnreadableEntry } from './report.ts';

/** Labelled images that a version has answered. */
export interface EvaluatedBatch {
  /** [count], each as the input has it. */
  names: readonly string[];
  /** [count], class indices 0 to 9. */
  labels: Uint8Array;
  /** [count, 28, 28], row-major, 0 to 255: what the model was given. */
  images: Uint8Array;
  /** [count, 10], each row sums to 1. */
  probabilities: Float32Array;
  /** [count], whether the version says that it should not be believed. Default: it never does. */
  abstained?: readonly boolean[];
  /** [count, 10], probabilities of the version that it is compared with. Where there is one, in every batch. */
  against?: Float32Array;
}

/** `RangeError` for a batch whose parts do not fit each other, or that lacks `against` where the others had it. */
export function checkBatch(batch: EvaluatedBatch, isCompared: boolean): void {
  const { names, labels, images, probabilities, abstained, against } = batch;
  const count = labels.length;
  const parts = [
    ['names', names.length, count],
    ['bytes of images', images.length, count * PIXELS_PER_IMAGE],
    ['probabilities', probabilities.length, count * CLASS_COUNT],
    ['abstentions', abstained?.length ?? count, count],
    ['probabilities of the other version', against?.length ?? 0, isCompared ? count * CLASS_COUNT : 0],
  ] as const;
  for (const [what, came, expected] of parts) {
    if (came !== expected) throw new RangeError(`${came} ${what} for ${count} labels; expected ${expected}.`);
  }
}

/** What there is to say where not one image could be measured. */
export function noExamples(unreadable: number, first: UnreadableEntry | undefined): DomainError {
  const reason =
    first === undefined
      ? 'The input has no images.'
      : `None of the ${unreadable} images could be read; the first, ${JSON.stringify(first.name)}: ${first.message}`;
  return new DomainError('no-examples', reason, {
    details: { unreadable, ...(first === undefined ? {} : { first }) },
  });
}
