import type { Call, LayerEntry, Reference } from './topology.ts';

/**
 * Counts the calls of models inside a model from 0, like those of any layer. A model that was built before it was called has
 * a call of its own, number 0, which its `inbound_nodes` leave out: TensorFlow.js counts so for every model, Keras 2 for all
 * but a Sequential without an input shape, Keras 3 for all but a Sequential. The numbers in the file tell, unless all of
 * them would fit both.
 */
export function withOwnCallsLeftOut(
  layers: readonly LayerEntry[],
  outputs: readonly Reference[],
  isKeras3: boolean,
): { layers: LayerEntry[]; outputs: Reference[] } {
  const used = new Map<string, Set<number>>();
  for (const { layer, call } of [...outputs, ...layers.flatMap(({ calls }) => calls.flatMap(referencesOf))]) {
    used.set(layer, (used.get(layer) ?? new Set()).add(call));
  }
  const shifted = new Set(layers.filter((layer) => isShifted(layer, used.get(layer.name), isKeras3)).map(nameOf));
  if (shifted.size === 0) return { layers: [...layers], outputs: [...outputs] };
  const counted = <R extends Reference>(reference: R): R =>
    shifted.has(reference.layer) ? { ...reference, call: reference.call - 1 } : reference;
  return {
    layers: layers.map((layer) => ({
      ...layer,
      calls: layer.calls.map(({ inputs, mask }) => ({
        inputs: inputs.map((argument) => ('constant' in argument ? argument : counted(argument))),
        ...(mask !== undefined && { mask: mask && counted(mask) }),
      })),
    })),
    outputs: outputs.map(counted),
  };
}

function isShifted({ model, className, calls }: LayerEntry, used: ReadonlySet<number> | undefined, isKeras3: boolean) {
  if (!model || !used || used.has(0)) return false;
  return used.has(calls.length) || className !== 'Sequential' || !isKeras3;
}

function referencesOf({ inputs, mask }: Call): Reference[] {
  return [...inputs.flatMap((argument) => ('constant' in argument ? [] : [argument])), ...(mask ? [mask] : [])];
}

function nameOf({ name }: LayerEntry): string {
  return name;
}
