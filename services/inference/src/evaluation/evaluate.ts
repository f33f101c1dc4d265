import { DomainError, PIXELS_PER_IMAGE } from '@atelier/domain';
import { type EvaluationReport, EvaluationTally } from '@atelier/evaluation';
import { unlessAborted } from '../compute/unless-aborted.ts';
import { DEFAULT_IMAGE_OPTIONS } from '../image/decode.ts';
import { referenceTo } from '../model-reference.ts';
import type { CarriedImages } from '../predictor/mirror-choice.ts';
import type { Predictor } from '../predictor/predictor.ts';
import { type BulkParts, carriedBy, decodeInTurns, predictInTurns } from './answer-files.ts';
import { inOrder } from './in-order.ts';
import type { LabelledFile, LabelledSet, SetPart, SkippedEntry } from './sources/labelled-set.ts';

/** How far an evaluation has come. */
export interface Progress {
  /** Images that were measured. */
  examples: number;
  /** Entries that could not be. */
  skipped: number;
  /** Both, when it has ended. */
  total: number;
}

export interface EvaluationTask {
  set: LabelledSet;
  predictor: Predictor;
  /** The version that it is compared with. */
  against?: Predictor | undefined;
  /** No more images than these. Default: all. */
  limit?: number | undefined;
  /** In ms by the name of the step; what was spent before, and what is spent here. */
  timingsMs?: Record<string, number>;
  /** When the work for it began, in ms as `performance.now` counts. Default: now. */
  startedAt?: number;
  onProgress?: (progress: Progress) => void;
  signal: AbortSignal;
}

/** Parts in work at a time: while one is decoded another is computed. */
const PARTS_IN_WORK = 4;

interface AnsweredPart {
  names: string[];
  labels: Uint8Array;
  images: Uint8Array;
  probabilities: Float32Array;
  abstained?: boolean[];
  against?: Float32Array;
  skipped: SkippedEntry[];
}

/**
 * Measures a version on a labelled set, part by part: nothing is held but what is in work. Rejects with the faults of the set,
 * `no-examples`, those of `Predictor.predict`, and the reason of `signal`. The set stays open.
 */
export async function evaluate(task: EvaluationTask, bulk: BulkParts): Promise<EvaluationReport> {
  const { set, predictor, against, signal, timingsMs = {}, startedAt = performance.now() } = task;
  const tally = new EvaluationTally({
    compares: against !== undefined,
    abstains: predictor.version.manifest.trust !== undefined,
  });
  const spend = async <T>(step: string, work: () => Promise<T> | T): Promise<T> => {
    const from = performance.now();
    try {
      return await work();
    } finally {
      timingsMs[step] = (timingsMs[step] ?? 0) + performance.now() - from;
    }
  };
  const answer = (part: SetPart) => unlessAborted(answered(part, task, bulk, spend), signal);
  const parts = timed(limited(set.parts(), task.limit ?? Infinity), spend);
  for await (const { skipped, ...batch } of inOrder(parts, PARTS_IN_WORK, answer)) {
    signal.throwIfAborted();
    for (const entry of skipped) tally.skip(entry);
    if (batch.names.length > 0) await spend('count', () => tally.add(batch));
    task.onProgress?.({ examples: tally.examples, skipped: tally.unreadable, total: totalOf(task) });
  }
  const seconds = (performance.now() - startedAt) / 1000;
  const digest = await spend('digest', () => set.digest());
  return tally.report({
    model: referenceTo(predictor.version),
    ...(against === undefined ? {} : { against: referenceTo(against.version) }),
    device: predictor.device.actual,
    input: { form: set.form, digest, bytes: set.bytes, ignored: set.ignored },
    seconds,
    timingsMs,
  });
}

export function totalOf({ set: { total }, limit = Infinity }: Pick<EvaluationTask, 'set' | 'limit'>): number {
  return Math.min(limit, total);
}

type Spend = <T>(step: string, work: () => Promise<T> | T) => Promise<T>;

async function answered(
  part: SetPart,
  { predictor, against, signal }: EvaluationTask,
  bulk: BulkParts,
  spend: Spend,
): Promise<AnsweredPart> {
  signal.throwIfAborted();
  const { names, labels, skipped, carried } = await imagesIn(part, bulk, signal, spend);
  const predict = (by: Predictor) => spend('predict', () => predictInTurns(carried, by, bulk.turns, signal));
  const { images, probabilities, judgements } = await predict(predictor);
  return {
    ...{ names, labels, skipped, images, probabilities },
    ...(predictor.version.manifest.trust && { abstained: judgements.map(({ abstain }) => abstain) }),
    ...(against && { against: (await predict(against)).probabilities }),
  };
}

async function imagesIn(
  part: SetPart,
  bulk: BulkParts,
  signal: AbortSignal,
  spend: Spend,
): Promise<Pick<AnsweredPart, 'names' | 'labels' | 'skipped'> & { carried: CarriedImages }> {
  if (part.kind === 'pixels') {
    const { images, ...others } = part;
    return { ...others, carried: { images } };
  }
  const packed = part.files.flatMap((one) => ('file' in one ? [one.file] : []));
  const decoded = await spend('decode', () => decodeInTurns(packed, bulk, DEFAULT_IMAGE_OPTIONS, signal));
  const readable: LabelledFile[] = [];
  const skipped: SkippedEntry[] = [];
  const images = decoded.values();
  for (const one of part.files) {
    if ('code' in one) {
      skipped.push(one);
      continue;
    }
    const found = images.next().value;
    if (found instanceof DomainError) skipped.push({ name: one.name, code: found.code, message: found.message });
    else readable.push(one);
  }
  return {
    names: readable.map(({ name }) => name),
    labels: Uint8Array.from(readable, ({ label }) => label),
    skipped,
    carried: carriedBy(decoded),
  };
}

/** The first `limit` images and entries. */
async function* limited(parts: AsyncIterable<SetPart>, limit: number): AsyncGenerator<SetPart, void, undefined> {
  let left = limit;
  for await (const part of parts) {
    const first = firstOf(part, left);
    left -= sizeOf(first);
    if (sizeOf(first) > 0) yield first;
    if (left === 0) return;
  }
}

/** Of images as pixels these come before what stands between them. */
function firstOf(part: SetPart, count: number): SetPart {
  if (sizeOf(part) <= count) return part;
  if (part.kind === 'files') return { kind: 'files', files: part.files.slice(0, count) };
  return {
    kind: 'pixels',
    names: part.names.slice(0, count),
    labels: part.labels.slice(0, count),
    images: part.images.slice(0, count * PIXELS_PER_IMAGE),
    skipped: part.skipped.slice(0, Math.max(0, count - part.labels.length)),
  };
}

function sizeOf(part: SetPart): number {
  return part.kind === 'files' ? part.files.length : part.labels.length + part.skipped.length;
}

/** The same parts, with the time that it takes to get them. */
async function* timed(parts: AsyncIterable<SetPart>, spend: Spend): AsyncGenerator<SetPart, void, undefined> {
  const iterator = parts[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await spend('read', () => iterator.next());
      if (next.done) return;
      yield next.value;
    }
  } finally {
    await iterator.return?.();
  }
}
