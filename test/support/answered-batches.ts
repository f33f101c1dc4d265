import { CLASS_COUNT, PIXELS_PER_IMAGE } from '@atelier/domain';
import type { EvaluatedBatch } from '@atelier/evaluation';

/** An image of an evaluation as a test wants it to be answered. */
export interface Answered {
  name: string;
  label: number;
  predicted: number;
  confidence: number;
  abstained?: boolean;
  /** Of the other version, with the same confidence. */
  againstPredicted?: number;
}

/** A report's facts where a test has no opinion on them. */
export const EVALUATION_FACTS = {
  model: { name: 'fashion-mlp', version: 2, digest: `sha256:${'1'.repeat(64)}` },
  device: 'cpu',
  input: { form: 'zip', digest: `sha256:${'2'.repeat(64)}`, bytes: 1234, ignored: 3 },
  seconds: 0.5,
  timingsMs: { decode: 300, infer: 150 },
  createdAt: new Date('2026-01-31T12:34:56.789Z'),
} as const;

/** The images as a batch, each with a picture of its own. */
export function answeredBatch(images: readonly Answered[]): EvaluatedBatch {
  const abstentions = images.some(({ abstained }) => abstained !== undefined);
  const isCompared = images.some(({ againstPredicted }) => againstPredicted !== undefined);
  return {
    names: images.map(({ name }) => name),
    labels: Uint8Array.from(images, ({ label }) => label),
    images: Uint8Array.from({ length: images.length * PIXELS_PER_IMAGE }, (_, place) => {
      const image = images[Math.floor(place / PIXELS_PER_IMAGE)];
      return (place * ((image?.name.length ?? 0) + 1) + (image?.label ?? 0) * 25) % 256;
    }),
    probabilities: Float32Array.from(images.flatMap(({ predicted, confidence }) => row(predicted, confidence))),
    ...(abstentions ? { abstained: images.map(({ abstained }) => abstained ?? false) } : {}),
    ...(isCompared
      ? { against: Float32Array.from(images.flatMap((each) => row(each.againstPredicted ?? 0, each.confidence))) }
      : {}),
  };
}

/** Probabilities that give class `predicted` the `confidence` and share the rest. */
function row(predicted: number, confidence: number): number[] {
  const rest = (1 - confidence) / (CLASS_COUNT - 1);
  return Array.from({ length: CLASS_COUNT }, (_, index) => (index === predicted ? confidence : rest));
}
