import type { ErrorCode } from '@atelier/domain';
import type { ImageFacts, ImageOptions } from '../contract/image.ts';
import type { PackedFile } from '../evaluation/sources/packed-file.ts';

/** A packed file in a message, whose bytes stand among those of the message, one file behind the other. */
export interface PackedHead extends Omit<PackedFile, 'stored'> {
  storedBytes: number;
}

/** What the service asks of the process that works for evaluations. */
export type ToBulkDecoder =
  /** Each file is a request of its own: it may have `maximumPixels`, and its fault is its own. */
  | { id: number; kind: 'decode-all'; files: PackedHead[]; maximumPixels: number; options: ImageOptions }
  /** The bytes are a report as JSON, the answer's are it as HTML. */
  | { id: number; kind: 'page' }
  /** Whether its thread goes round. */
  | { id: number; kind: 'ping' };

/** What became of a file; the images [28, 28] of those without a fault are the bytes of the answer, in the order of the files. */
export type DecodedHead = { facts: ImageFacts } | { code: ErrorCode; message: string };
