import type { ErrorCode } from '@atelier/domain';
import type { PackedFile } from './packed-file.ts';

/** In which form labelled images come. */
export type SetForm = 'zip' | 'idx' | 'csv' | 'folder' | 'dataset';

/** What is in a set and cannot be evaluated: listed, never dropped in silence. */
export interface SkippedEntry {
  name: string;
  code: ErrorCode;
  message: string;
}

/** A picture file, or why there is none to decode. */
export type NamedFile = { name: string; file: PackedFile } | SkippedEntry;

/** A picture file and the class that it is said to show, 0 to 9. */
export interface LabelledFile {
  name: string;
  label: number;
  file: PackedFile;
}

/** Some of a set's contents, in its order, and little of it: the thread that serves makes one part and no more at a time. */
export type SetPart =
  /** Images [n, 28, 28] of the model's form with their labels [n], 0 to 9, and what stands between them and is none. */
  | { kind: 'pixels'; names: string[]; labels: Uint8Array; images: Uint8Array; skipped: SkippedEntry[] }
  | { kind: 'files'; files: (LabelledFile | SkippedEntry)[] };

/** Labelled images, read when they are asked for. */
export interface LabelledSet {
  readonly form: SetForm;
  /** As they came, so compressed where they were. */
  readonly bytes: number;
  /** Images and skipped entries that are to come. */
  readonly total: number;
  /** Entries that are nobody's pictures, such as what a system keeps beside files; they are counted and not listed. */
  readonly ignored: number;
  /** `sha256:` and the sum over the bytes as they came; of a folder, over the sums and the names of its files. */
  digest(): Promise<string>;
  /** To be asked once. */
  parts(): AsyncIterable<SetPart>;
  close(): Promise<void>;
}

/** Images of a part that come as pixels, what is skipped between them included. */
export const IMAGES_PER_PART = 64;

/** Files of a part, skipped ones included: at most so many, and fewer once they have so many bytes. */
export const FILES_PER_PART = 64;
export const PART_BYTES = 512 * 1024;
