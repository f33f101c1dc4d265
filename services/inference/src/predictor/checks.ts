import { DomainError, type Manifest, PUBLISHED_GRAPH, publishedOutputs } from '@atelier/domain';
import type { TensorDescription } from '../compute/messages.ts';

/** Compares what a model takes and gives with what its manifest promises; `contract-mismatch` shows both. */
export function checkContract(
  { inputs, outputs }: { inputs: readonly TensorDescription[]; outputs: readonly TensorDescription[] },
  manifest: Pick<Manifest, 'trust'>,
): void {
  for (const [kind, found, expected] of [
    ['inputs', inputs, PUBLISHED_GRAPH.inputs],
    ['outputs', outputs, publishedOutputs(manifest)],
  ] as const) {
    if (isSame(found, expected)) continue;
    throw new DomainError(
      'contract-mismatch',
      `The model's ${kind} are ${describe(found)}; expected ${describe(expected)}.`,
    );
  }
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
