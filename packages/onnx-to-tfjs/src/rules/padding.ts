import { isPlainLayout, type Value } from '../layouts.ts';
import type { NodeView, Rule } from '../node-view.ts';
import { cropped, zeroPadded } from './images.ts';

/** Zeros around the axes between batch and channels; pads below zero take away. */
export const pad: Rule = (node) => {
  const input = node.value(0);
  const rank = input.shape.length;
  requireZeros(node);
  const pads = node.numbers('pads', 1);
  const axes = (node.numbers('axes', 3) ?? input.shape.map((_, axis) => axis)).map((axis) => node.axis(axis, input));
  if (pads?.length !== 2 * axes.length) throw node.contradicts(`its pads are not for ${axes.length} axes`);
  const pairs = input.shape.map((_, axis): [number, number] => {
    const index = axes.indexOf(axis);
    return index < 0 ? [0, 0] : [pads[index] ?? 0, pads[index + axes.length] ?? 0];
  });
  const padded = pairs.flatMap((pair, axis) => (pair.some((size) => size !== 0) ? [axis] : []));
  if (padded.length === 0) return input;
  const ready = withPaddedAxesInside(node, input, padded);
  const spatial = ready.layout.slice(1, -1).map((axis): [number, number] => pairs[axis] ?? [0, 0]);
  const more = spatial.map(([before, after]): [number, number] => [Math.max(0, before), Math.max(0, after)]);
  const less = spatial.map(([before, after]): [number, number] => [Math.max(0, -before), Math.max(0, -after)]);
  if (rank > 4) throw node.refuse(`its input has rank ${rank}; supported: 3 and 4.`);
  return cropped(node, zeroPadded(node, ready, more, node.name()), less, `${node.name()}_crop`);
};

function requireZeros(node: NodeView): void {
  const mode = node.text('mode', 'constant');
  const value = node.opset < 11 ? node.float('value', 0) : (node.constant(2)?.values[0] ?? 0);
  if (mode === 'constant' && value === 0) return;
  throw node.refuse(`it pads by ${mode === 'constant' ? value : mode}; supported: zeros.`);
}

/** Padded axes must be neither first nor last in the model; channels last fits what is padded before a convolution. */
function withPaddedAxesInside(node: NodeView, input: Value, padded: readonly number[]): Value {
  const isInside = ({ layout }: Value) =>
    layout.length === input.shape.length && padded.every((axis) => axis !== layout[0] && axis !== layout.at(-1));
  if (isInside(input) && !input.flattened) return input;
  if (input.shape.length > 2 && !padded.includes(1) && !padded.includes(0)) return node.channelsLast(input);
  const kind = isPlainLayout(input.layout, input.shape.length) ? '' : " in the graph's order";
  throw node.refuse(
    `it pads axes ${padded.join(', ')} of ${input.shape.length}${kind}; supported: those of width and height.`,
  );
}
