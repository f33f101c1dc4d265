import { type OnnxGraph, type OnnxNode, string } from '@atelier/onnx';
import { Uses } from './uses.ts';

/**
 * Writes the padding of a pool directly behind a Pad as a rule, VALID or SAME_UPPER, and not as numbers. It means the same, and
 * keeps onnxruntime from taking the zeros of the Pad into the pool's own pads, where they are no elements any more: a maximum of
 * negative numbers then differs, and pads as wide as the window are refused (`pad_fusion.cc`, which leaves `auto_pad` alone).
 */
export function keepZeros(graph: OnnxGraph): OnnxGraph {
  const uses = new Uses(graph);
  const replaced = new Map<OnnxNode, OnnxNode>();
  for (const pool of graph.nodes.filter(({ opType }) => opType === 'MaxPool' || opType === 'AveragePool')) {
    if (uses.onlyFor(pool.inputs[0])?.opType !== 'Pad' || pool.attributes['auto_pad']) continue;
    const { pads, ...others } = pool.attributes;
    // Pools have pads only from padding 'same'.
    replaced.set(pool, { ...pool, attributes: { ...others, auto_pad: string(pads ? 'SAME_UPPER' : 'VALID') } });
  }
  return uses.replaced(replaced);
}
