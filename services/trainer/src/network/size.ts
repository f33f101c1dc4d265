import { DomainError, type Recipe } from '@atelier/domain';
import { networkTensors } from './parameters.ts';

/**
 * Of what a checkpoint holds, and so of `model.onnx`, which is smaller. An ONNX file is a protobuf message, which has less
 * than 2 GiB (protobuf.dev/programming-guides/proto-limits), and Node reads no larger file at once. The last MiB is left to
 * names and metadata.
 */
const LARGEST_STATE_BYTES = 2 ** 31 - 2 ** 20;

const FLOAT32_BYTES = 4;

/** `invalid-recipe` for a network that could not be kept or exported, before minutes go into building it. */
export function refuseTooLarge(recipe: Recipe): void {
  const tensors = networkTensors(recipe);
  const count = (included: typeof tensors) =>
    included.reduce((sum, { shape }) => sum + shape.reduce((size, length) => size * length, 1), 0);
  const parameters = count(tensors.filter(({ trainable }) => trainable));
  const copies = optimizerSlots(recipe) + (recipe.weightAveraging === null ? 0 : 1);
  const bytes = FLOAT32_BYTES * (count(tensors) + copies * parameters);
  if (bytes <= LARGEST_STATE_BYTES) return;
  throw new DomainError(
    'invalid-recipe',
    `The network of "${recipe.name}" has ${parameters.toLocaleString('en')} parameters, which with what the optimiser ` +
      `keeps take ${mebibytes(bytes)} MiB; at most ${mebibytes(LARGEST_STATE_BYTES)} MiB can be kept and exported.`,
  );
}

/** Numbers that the optimiser keeps for each parameter. */
function optimizerSlots({ optimizer }: Recipe): number {
  switch (optimizer.kind) {
    case 'sgd':
      return 0;
    case 'momentum':
      return 1;
    case 'rmsprop':
      return optimizer.momentum > 0 ? 2 : 1;
    case 'adam':
      return 2;
  }
}

function mebibytes(bytes: number): string {
  return Math.round(bytes / 2 ** 20).toLocaleString('en');
}
