import type { Call, Reference, Topology } from './topology.ts';

/**
 * The outputs of layers in the order in which TensorFlow.js computes them (`getTopologicalSortAndRecipientCounts` in
 * tfjs-layers' executor.js): depth first from each output of the model, the last input of a layer first. A layer with several
 * outputs that are used is there once for each. Undefined where layers go round in a circle.
 */
export function executionOrder(topology: Topology): Reference[] | undefined {
  const calls = new Map(topology.layers.map(({ name, calls: each }) => [name, each]));
  const order = new Map<string, Reference>();
  for (const output of topology.outputs) {
    const sorted = sortedFor(output, calls, new Set(topology.inputs.map(keyOf)));
    if (!sorted) return undefined;
    for (const reference of sorted) if (!order.has(keyOf(reference))) order.set(keyOf(reference), reference);
  }
  return [...order.values()];
}

function sortedFor(
  output: Reference,
  calls: ReadonlyMap<string, readonly Call[]>,
  visited: Set<string>,
): Reference[] | undefined {
  const sorted: Reference[] = [];
  const stack = [output];
  /** Those whose inputs lie above them on the stack. */
  const open = new Set<string>();
  for (let top = stack.at(-1); top; top = stack.at(-1)) {
    const key = keyOf(top);
    const inputs = (calls.get(top.layer)?.[top.call]?.inputs ?? []).filter((input) => 'layer' in input);
    if (visited.has(key)) {
      stack.pop();
    } else if (inputs.length === 0 || open.has(key)) {
      stack.pop();
      sorted.push(top);
      visited.add(key);
    } else {
      open.add(key);
      const waiting = inputs.filter((input) => !visited.has(keyOf(input)));
      if (waiting.some((input) => open.has(keyOf(input)))) return undefined;
      stack.push(...waiting);
    }
  }
  return sorted;
}

function keyOf({ layer, call, output }: Reference): string {
  return JSON.stringify([layer, call, output]);
}
