import { DomainError, type Manifest, PUBLISHED_GRAPH } from '@atelier/domain';
import type { TensorDescription } from '../compute/messages.ts';

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
