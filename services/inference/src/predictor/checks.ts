import {
  CLASS_COUNT,
  DomainError,
  type GoldenVectors,
  type Manifest,
  PIXELS_PER_IMAGE,
  PUBLISHED_GRAPH,
} from '@atelier/domain';
import type { TensorDescription } from './engine-messages.ts';

/** Compares what a model takes and gives with `PUBLISHED_GRAPH`; `contract-mismatch` shows both. */
export function checkContract(inputs: readonly TensorDescription[], outputs: readonly TensorDescription[]): void {
  for (const [kind, found, expected] of [
    ['inputs', inputs, PUBLISHED_GRAPH.inputs],
    ['outputs', outputs, PUBLISHED_GRAPH.outputs],
  ] as const) {
    if (isSame(found, expected)) continue;
    throw new DomainError(
      'contract-mismatch',
      `The model's ${kind} are ${describe(found)}; expected ${describe(expected)}.`,
    );
  }
}

/** Probabilities come from the graph as they are: `contract-mismatch` where the manifest wants logits divided first. */
export function checkTemperature({ temperature }: Manifest): void {
  if (temperature === 1) return;
  throw new DomainError(
    'contract-mismatch',
    `The manifest has temperature ${temperature}; this server applies none, so only 1.`,
  );
}

/** The golden images [count, 28, 28]; `golden-mismatch` when one has another size. */
export function goldenImages({ images }: GoldenVectors): Uint8Array {
  const files = images.map((image) => Buffer.from(image, 'base64'));
  files.forEach(({ length }, row) => {
    if (length === PIXELS_PER_IMAGE) return;
    throw new DomainError('golden-mismatch', `Golden image ${row} has ${length} bytes; expected ${PIXELS_PER_IMAGE}.`);
  });
  return Buffer.concat(files);
}

/** Compares computed probabilities [count, 10] with the manifest's; `golden-mismatch` says where they part. */
export function checkGolden(computed: Float32Array, golden: GoldenVectors): void {
  golden.probabilities.forEach((expectedRow, row) => {
    expectedRow.forEach((expected, classIndex) => {
      const found = computed[row * CLASS_COUNT + classIndex] ?? NaN;
      if (Math.abs(found - expected) <= golden.tolerance) return;
      throw new DomainError(
        'golden-mismatch',
        `Golden image ${row}, class ${classIndex}: probability ${found}; ` +
          `the manifest says ${expected} within ${golden.tolerance}.`,
      );
    });
  });
}

/** The names of symbolic dimensions may differ. */
function isSame(found: readonly TensorDescription[], expected: readonly TensorDescription[]): boolean {
  const form = (tensors: readonly TensorDescription[]) =>
    JSON.stringify(
      tensors.map(({ name, type, shape }) => [name, type, shape.map((size) => (typeof size === 'string' ? '' : size))]),
    );
  return form(found) === form(expected);
}

function describe(tensors: readonly TensorDescription[]): string {
  return tensors.map(({ name, type, shape }) => `${name} ${type}[${shape.join(', ')}]`).join(' and ') || 'none';
}
