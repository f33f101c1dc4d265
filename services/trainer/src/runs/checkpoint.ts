import { createHash } from 'node:crypto';
import { Digest, describeIssues, DomainError, messageOf, Recipe } from '@atelier/domain';
import { z } from 'zod';
import type { Standing } from '../standing.ts';
import type { EngineState } from '../training-engine.ts';
import { canonicalJson, firstDifference } from './canonical-json.ts';
import { decodeSafetensors, encodeSafetensors, type Tensors } from './safetensors.ts';

const FORMAT = 'atelier-checkpoint';
/** Raised when a reader of older checkpoints would misunderstand newer ones. */
const VERSION = 1;

/** What a checkpoint can only be resumed with: anything else would end in other bits. */
export const Origin = z.strictObject({
  recipe: Recipe,
  data: Digest,
  limit: z.int().positive().nullable(),
  engine: z.string(),
  device: z.string(),
  /** Null in older checkpoints. */
  software: z.record(z.string(), z.string()).nullable().default(null),
});
export type Origin = z.infer<typeof Origin>;

const epoch = z.int().min(0);
const BestSoFar = z.strictObject({ value: z.number().nullable(), epochsSince: epoch });

const Metadata = z.strictObject({
  format: z.literal(FORMAT),
  version: z.literal(VERSION),
  ...Origin.shape,
  epoch,
  reductions: epoch,
  plateau: BestSoFar,
  monitored: BestSoFar,
  bestEpoch: z.int().positive().nullable(),
  steps: z.int().min(0),
});

/** A training after an epoch, with what it was trained from. */
export interface Checkpoint {
  origin: Origin;
  standing: Standing;
  state: EngineState;
}

/**
 * The pieces of a checkpoint's file: safetensors, whose metadata are JSON texts, `digest` among them, the SHA-256 of
 * everything else that is in the file.
 */
export function encodeCheckpoint({ origin, standing, state }: Checkpoint): Uint8Array[] {
  const values = { format: FORMAT, version: VERSION, ...origin, ...standing, steps: state.steps };
  const metadata = mapValues(values, canonicalJson);
  const digest = canonicalJson(digestOf(metadata, state.tensors));
  return encodeSafetensors({ metadata: { ...metadata, digest }, tensors: state.tensors });
}

/**
 * Reads a checkpoint that came from `expected`. `invalid-checkpoint` names `file` and the field or tensor that is
 * damaged or of another origin, what was expected and what was found.
 */
export function decodeCheckpoint(bytes: Uint8Array, file: string, expected: Origin): Checkpoint {
  const { metadata: texts, tensors } = decodeSafetensors(bytes, file);
  const { digest, ...metadata } = mapValues(texts, (text, field) => parse(text, `${file}: ${field}`));
  const parsed = Metadata.safeParse(metadata);
  if (!parsed.success) {
    throw new DomainError('invalid-checkpoint', `${file}: ${describeIssues(parsed.error)}`, { cause: parsed.error });
  }
  requireSame(file, digestOf(without(texts, 'digest'), tensors), digest, 'digest');
  const { epoch, reductions, plateau, monitored, bestEpoch, steps } = parsed.data;
  for (const field of Object.keys(expected) as (keyof Origin)[]) {
    requireSame(file, expected[field], parsed.data[field], field);
  }
  const standing = { epoch, reductions, plateau, monitored, bestEpoch };
  return { origin: expected, standing, state: { steps, tensors } };
}

function digestOf(metadata: Record<string, string>, tensors: Tensors): string {
  const shapes = mapValues(tensors, ({ shape }) => shape);
  const hash = createHash('sha256').update(canonicalJson({ metadata, shapes }));
  for (const { data } of Object.values(tensors)) {
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return `sha256:${hash.digest('hex')}`;
}

function requireSame(file: string, expected: unknown, found: unknown, field: string): void {
  const difference = firstDifference(expected, found, field);
  if (difference === null) return;
  const { path, expected: wanted, found: present } = difference;
  throw new DomainError('invalid-checkpoint', `${file}: ${path}: expected ${wanted}, found ${present}.`);
}

function parse(text: string, field: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new DomainError('invalid-checkpoint', `${field}: expected JSON: ${messageOf(cause)}`, { cause });
  }
}

function without<Value>(record: Record<string, Value>, key: string): Record<string, Value> {
  return Object.fromEntries(Object.entries(record).filter(([name]) => name !== key));
}

function mapValues<In, Out>(record: Record<string, In>, map: (value: In, key: string) => Out): Record<string, Out> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value, key)]));
}
