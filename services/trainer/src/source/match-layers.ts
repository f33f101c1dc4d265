import type { TensorData } from '../network/initial-weights.ts';
import { mismatch, type SourceStep } from './layer-chain.ts';
import type { NetworkStep } from './network-steps.ts';

/** Relative: a file holds numbers as float32. */
const ROUNDING = 1e-6;

/**
 * The weights of `found` by the names of the recipe's layers, step by step. A source without a layer that scales takes pixels
 * that are scaled already, which the recipe does; a dense layer without bias has zeros. The first step that differs is
 * `source-mismatch`.
 */
export function matchedTensors(
  expected: readonly NetworkStep[],
  found: readonly SourceStep[],
  file: string,
): Record<string, TensorData> {
  const [scaling, ...steps] = expected;
  const source = withScaling(found, scaling);
  const pairs = [...(source.length > 0 && source[0]?.kind === 'scaling' && scaling ? [scaling] : []), ...steps];
  const tensors: Record<string, TensorData> = {};
  pairs.forEach((step, index) => {
    const other = source[index];
    if (!other || !isSame(step, other)) {
      const layer = other?.layer ?? found.at(-1)?.layer ?? '';
      throw mismatch(
        file,
        layer,
        `${described(step)} (the recipe's ${step.layer})`,
        other ? described(other) : 'the end',
        hint(step, other),
      );
    }
    for (const [part, tensor] of Object.entries(weightsOf(step, other))) tensors[`${step.layer}/${part}`] = tensor;
  });
  const surplus = source[pairs.length];
  if (surplus) throw mismatch(file, surplus.layer, 'the end, after the logits', described(surplus));
  return tensors;
}

/** Scalings that follow each other as one. */
function withScaling(found: readonly SourceStep[], expected: NetworkStep | undefined): readonly SourceStep[] {
  const count = found.findIndex(({ kind }) => kind !== 'scaling');
  const scalings = found.slice(0, Math.max(0, count));
  const [first] = scalings;
  if (!first || expected?.kind !== 'scaling') return found;
  const [scale, offset] = scalings.reduce(
    ([scale, offset], step) =>
      step.kind === 'scaling' ? [scale * step.scale, offset * step.scale + step.offset] : [scale, offset],
    [1, 0] as const as readonly [number, number],
  );
  return [{ kind: 'scaling', layer: first.layer, scale, offset, weights: {} }, ...found.slice(count)];
}

function isSame(expected: NetworkStep, found: NetworkStep): boolean {
  const isClose = (first: number, second: number) =>
    Math.abs(first - second) <= ROUNDING * Math.max(Math.abs(first), Math.abs(second), ROUNDING);
  if (expected.kind === 'dense' && found.kind === 'dense') {
    return expected.inputs === found.inputs && expected.units === found.units;
  }
  if (expected.kind === 'batch-normalization' && found.kind === 'batch-normalization') {
    return expected.units === found.units && isClose(expected.epsilon, found.epsilon);
  }
  if (expected.kind === 'activation' && found.kind === 'activation') return expected.activation === found.activation;
  return (
    expected.kind === 'scaling' &&
    found.kind === 'scaling' &&
    isClose(expected.scale, found.scale) &&
    isClose(expected.offset, found.offset)
  );
}

function weightsOf(step: NetworkStep, { weights }: SourceStep): Readonly<Record<string, TensorData>> {
  if (step.kind !== 'dense') return weights;
  return { bias: { shape: [step.units], data: new Float32Array(step.units) }, ...weights };
}

function described(step: NetworkStep): string {
  switch (step.kind) {
    case 'scaling':
      return `pixels times ${step.scale} plus ${step.offset}`;
    case 'dense':
      return `Dense with a kernel of [${step.inputs}, ${step.units}]`;
    case 'batch-normalization':
      return `BatchNormalization of ${step.units} with epsilon ${step.epsilon}`;
    case 'activation':
      return `activation ${step.activation}`;
  }
}

/** Exporters for inference multiply batch normalisation into the layer before. */
function hint(expected: NetworkStep, found: NetworkStep | undefined): string {
  if (expected.kind !== 'batch-normalization' || found?.kind === 'batch-normalization') return '';
  return ' Exporters fold it into the layer before: export without folding, or take a recipe without it.';
}
