import type { LayerOutput, NetworkLayer } from './network.ts';

/**
 * The number that TensorFlow.js gives each call of a layer when it loads a functional model. It goes through the list of layers
 * again and again, makes the calls whose inputs are there by then, and counts them as they come: a later call of a shared layer
 * may come first, and would be taken for an earlier one (`fromConfig` of tfjs-layers' container.js).
 */
export function callNumbers(layers: readonly NetworkLayer[]): (output: LayerOutput) => number {
  const made = new Map(layers.map((layer) => [layer, new Map<number, number>()]));
  const isThere = ({ layer, call }: LayerOutput) => layer.calls.length === 0 || made.get(layer)?.has(call) === true;
  let waiting = layers.map((layer) => ({ layer, calls: [...layer.calls.keys()] }));
  while (waiting.length > 0) {
    for (const each of waiting) {
      each.calls = each.calls.filter((call) => {
        const numbers = made.get(each.layer);
        if (!numbers || !each.layer.calls[call]?.every(isThere)) return true;
        numbers.set(call, numbers.size);
        return false;
      });
    }
    waiting = waiting.filter(({ calls }) => calls.length > 0);
  }
  return ({ layer, call }) => made.get(layer)?.get(call) ?? 0;
}
