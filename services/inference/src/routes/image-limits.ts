import { DomainError } from '@atelier/domain';

export interface ImageLimits {
  maximumBodyBytes: number;
  /** Of a body in JSON. */
  maximumJsonBytes: number;
  /** Images that come as pixels. */
  maximumImages: number;
  /** Images that come as files. */
  maximumFiles: number;
}

/** `came` where it is known; else more than `maximum`. */
export function tooManyImages(maximum: number, came?: number): DomainError {
  return new DomainError(
    'too-many-images',
    `${came ?? `More than ${maximum}`} images came; at most ${maximum} of this form are taken.`,
  );
}
