import { float32Values, int64Values, ints, type OnnxGraph, type OnnxNode } from '@atelier/onnx';
import { Uses } from './uses.ts';

/**
 * Takes zeros that a Pad puts around space into the pads of the Conv behind it, with or without a Transpose between them, where
 * nobody else takes what is padded. Not for pools: padding is no element there, and a zero of a Pad is one.
 */
export function foldPadding(graph: OnnxGraph): OnnxGraph {
  const uses = new Uses(graph);
  const replaced = new Map<OnnxNode, OnnxNode | undefined>();
  for (const conv of graph.nodes.filter(({ opType }) => opType === 'Conv')) {
    const [input, ...weights] = conv.inputs;
    const before = uses.onlyFor(input);
    const transpose = before?.opType === 'Transpose' ? before : undefined;
    const pad = transpose ? uses.onlyFor(transpose.inputs[0]) : before;
    const zeros = pad && zerosOf(pad, uses);
    const pads = zeros && padsWith(conv, turned(zeros, transpose));
    if (!pads) continue;
    const source = pad.inputs[0] ?? '';
    const others = Object.entries(conv.attributes).filter(([name]) => name !== 'auto_pad');
    replaced.set(pad, undefined);
    if (transpose) replaced.set(transpose, { ...transpose, inputs: [source] });
    replaced.set(conv, {
      ...conv,
      inputs: [transpose ? (input ?? '') : source, ...weights],
      attributes: { ...Object.fromEntries(others), pads: ints(pads) },
    });
  }
  return uses.replaced(replaced);
}

/** How many zeros there are before and after each axis; undefined for a Pad of another kind. */
function zerosOf({ opType, inputs, attributes }: OnnxNode, uses: Uses): (readonly [number, number])[] | undefined {
  const pads = uses.constant(inputs[1]);
  const [, , filling = '', axes = ''] = inputs;
  const mode = attributes['mode'];
  if (opType !== 'Pad' || pads?.type !== 'int64' || axes !== '') return undefined;
  if (mode?.type === 'string' && mode.value !== 'constant') return undefined;
  if (filling !== '') {
    const value = uses.constant(filling);
    if (value?.type !== 'float32' || float32Values(value)[0] !== 0) return undefined;
  }
  const counts = Array.from(int64Values(pads), Number);
  if (counts.some((count) => count < 0)) return undefined;
  return Array.from({ length: counts.length / 2 }, (_, axis) => [
    counts[axis] ?? 0,
    counts[axis + counts.length / 2] ?? 0,
  ]);
}

function turned(zeros: readonly (readonly [number, number])[], transpose: OnnxNode | undefined) {
  const permutation = transpose?.attributes['perm'];
  if (!transpose) return zeros;
  if (permutation?.type !== 'ints') return [...zeros].reverse();
  return permutation.value.map((axis) => zeros[Number(axis)] ?? ([0, 0] as const));
}

/** The pads of a Conv and more zeros around space; undefined where some are elsewhere, or where the runtime finds the pads. */
function padsWith({ attributes }: OnnxNode, zeros: readonly (readonly [number, number])[]): number[] | undefined {
  const [batch, channels, ...space] = zeros;
  const auto = attributes['auto_pad'];
  const isFound = auto?.type === 'string' && !['NOTSET', 'VALID'].includes(auto.value);
  if (isFound || [batch, channels].some((pair) => !pair || pair[0] + pair[1] > 0)) return undefined;
  const own = attributes['pads'];
  const flat = [...space.map(([begin]) => begin), ...space.map(([, end]) => end)];
  const isOwn = own?.type === 'ints' && !(auto?.type === 'string' && auto.value === 'VALID');
  return flat.map((count, side) => count + (isOwn ? Number(own.value[side] ?? 0) : 0));
}
