import { channelsLast, identityLayout, type Value } from '../layouts.ts';
import type { NodeView, Rule } from '../node-view.ts';

/** Layers that compute element by element from several inputs. */
type MergeClass = 'Add' | 'Average' | 'Maximum' | 'Minimum' | 'Multiply';

/** What such a layer gives for no input that is below zero: nothing below zero. */
export function merge(node: NodeView, className: MergeClass, inputs: readonly Value[] = node.values()): Value {
  const [first] = inputs;
  if (!first) throw node.contradicts('it has no input');
  const rank = first.shape.length;
  const odd = inputs.find(({ shape }) => shape.length !== rank);
  if (odd) {
    throw node.refuse(
      `its inputs have rank ${rank} and ${odd.shape.length}; supported: equal ranks. Unsqueeze the smaller one.`,
    );
  }
  if (inputs.length === 1) return first;
  const ready = inCommonLayout(node, inputs);
  const [one = first] = ready;
  const source = node.add(
    { className, name: node.name() },
    ready.map((value) => value.source),
  );
  return {
    ...(one.flattened && { flattened: one.flattened }),
    source,
    layout: one.layout,
    shape: node.outputShape,
    isNonNegative: inputs.every(({ isNonNegative }) => isNonNegative),
  };
}

export const merging =
  (className: MergeClass): Rule =>
  (node) =>
    merge(node, className);

/** Inputs one after the other along an axis that is not the batch. */
export const concat: Rule = (node) => {
  const inputs = node.values();
  const [first] = inputs;
  if (!first) throw node.contradicts('it has no input');
  const axis = node.axis(node.int('axis', 1), first);
  if (axis === 0) throw node.refuse('it joins batches; supported: any axis but the first.');
  if (inputs.length === 1) return first;
  const ready = inCommonLayout(
    node,
    inputs.map((value) => node.inGraphOrder(value)),
  );
  const layout = ready[0]?.layout ?? identityLayout(first.shape.length);
  const source = node.add(
    { className: 'Concatenate', name: node.name(), config: { axis: layout.indexOf(axis) } },
    ready.map((value) => value.source),
  );
  return {
    source,
    layout,
    shape: node.outputShape,
    isNonNegative: inputs.every(({ isNonNegative }) => isNonNegative),
  };
};

/** The layout of the largest input that has all its axes; all of them the same order of flattened axes, or the graph's. */
function inCommonLayout(node: NodeView, inputs: readonly Value[]): readonly Value[] {
  const [first] = inputs;
  if (!first) return inputs;
  const rank = first.shape.length;
  const order = (value: Value) => JSON.stringify([value.layout, value.flattened]);
  if (inputs.every((value) => value.layout.length === rank && order(value) === order(first))) return inputs;
  const whole = inputs.find(
    ({ layout, shape }) => layout.length === rank && shape.some((size, axis) => axis > 0 && size !== 1),
  );
  const layout = whole?.layout ?? (rank > 2 ? channelsLast(rank) : identityLayout(rank));
  return inputs.map((value) => node.arranged(value, layout));
}
