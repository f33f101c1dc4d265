import { CLASS_COUNT, DomainError, PIXELS_PER_IMAGE } from '@atelier/domain';
import type { Decoded } from '../compute/bulk-process.ts';
import type { Judgement } from '../contract/predict.ts';
import type { ImageFacts, ImageOptions } from '../contract/image.ts';
import { type CarriedImages, predictPictures } from '../predictor/mirror-choice.ts';
import type { Predictor } from '../predictor/predictor.ts';
import { judgeAll } from '../trust/judge.ts';
import type { BulkTurns } from './bulk-turns.ts';
import type { PackedFile } from './sources/packed-file.ts';
import { throughRestarts } from './through-restarts.ts';

/** Decodes files; see `BulkProcess.decode`. */
export type DecodeAll = (
  files: readonly PackedFile[],
  options: ImageOptions,
  signal: AbortSignal | undefined,
) => Promise<Decoded[]>;

export interface BulkParts {
  decode: DecodeAll;
  turns: BulkTurns;
}

/** The files as images or faults, in their order. */
export function decodeInTurns(
  files: readonly PackedFile[],
  { decode, turns }: BulkParts,
  options: ImageOptions,
  signal: AbortSignal,
): Promise<Decoded[]> {
  return turns.eachStep(files, (step) => decode(step, options, signal), signal);
}

/** What a version says of pictures. */
export interface BulkOutputs {
  /** [n, 28, 28], those that it was asked about: a picture or its mirror image. */
  images: Uint8Array;
  facts: ImageFacts[];
  /** [n, 10] */
  probabilities: Float32Array;
  /** [n]; empty where the version never abstains. */
  judgements: Judgement[];
}

/**
 * Asks about pictures as `predictPictures` does, in turns, through restarts of the engine. None at all take a turn, too: what
 * was read in vain cost something.
 */
export async function predictInTurns(
  { images, facts }: CarriedImages,
  predictor: Predictor,
  turns: BulkTurns,
  signal: AbortSignal,
): Promise<BulkOutputs> {
  const rows = images.length / PIXELS_PER_IMAGE;
  if (rows === 0) await turns.pause(signal);
  const answered: BulkOutputs = {
    images: new Uint8Array(images.length),
    facts: [],
    probabilities: new Float32Array(rows * CLASS_COUNT),
    judgements: [],
  };
  for (let row = 0; row < rows;) {
    await turns.run(async (count) => {
      const end = Math.min(rows, row + count);
      const step = images.subarray(row * PIXELS_PER_IMAGE, end * PIXELS_PER_IMAGE);
      const options = { signal, priority: 'bulk', isBounded: true } as const;
      const carried = { images: step, facts: facts?.slice(row, end) };
      const told = await throughRestarts(() => predictPictures(predictor, carried, options), signal);
      answered.images.set(told.images, row * PIXELS_PER_IMAGE);
      answered.facts.push(...(told.facts ?? []));
      answered.probabilities.set(told.outputs.probabilities, row * CLASS_COUNT);
      answered.judgements.push(...(judgeAll(predictor.version.manifest, told.outputs) ?? []));
      row = end;
    }, signal);
  }
  return answered;
}

/** Those that were decoded. */
export function carriedBy(decoded: readonly Decoded[]): Required<CarriedImages> & { facts: ImageFacts[] } {
  const readable = decoded.flatMap((one) => (one instanceof DomainError ? [] : [one]));
  const images = new Uint8Array(readable.length * PIXELS_PER_IMAGE);
  for (const [row, { image }] of readable.entries()) images.set(image, row * PIXELS_PER_IMAGE);
  return { images, facts: readable.map(({ facts }) => facts) };
}
