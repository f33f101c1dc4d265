import { withRows } from '../arrays.ts';
import type { Constant } from '../constants.ts';
import { channelsLast, flattenedOrder } from '../layouts.ts';
import type { Rule } from '../node-view.ts';

/**
 * gamma·(x − mean)/√(variance + epsilon) + beta for each channel. ONNX's momentum has Keras's sense: the share of the running
 * statistics that stays.
 */
export const batchNormalization: Rule = (node) => {
  const isTraining = node.int('training_mode', 0) !== 0 || node.node.outputs.filter((name) => name !== '').length > 1;
  if (isTraining) throw node.refuse('it is in training mode; export the model for inference.');
  if (node.int('spatial', 1) === 0) throw node.refuse('spatial is 0; supported: 1.');
  const input = node.value(0);
  const rank = input.shape.length;
  if (rank < 2 || rank > 4) throw node.refuse(`its input has rank ${rank}; supported: 2 to 4.`);
  const ready = input.layout.at(-1) === 1 ? input : node.arranged(input, channelsLast(rank));
  const order = flattenedOrder(ready);
  const constants = [1, 2, 3, 4].map((index) => node.weight(index));
  const weight = ({ shape, values, origin }: Constant) => {
    const [channels] = ready.shape.slice(1);
    if (shape.length !== 1 || (typeof channels === 'number' && channels !== values.length)) {
      throw node.contradicts(`"${origin}" has shape [${shape.join(', ')}] for ${channels ?? '?'} channels`);
    }
    return { ...(order ? withRows({ shape, values }, order) : { shape, values }), origin };
  };
  const [gamma, beta, mean, variance] = constants.map(weight);
  if (!gamma || !beta || !mean || !variance) throw node.contradicts('it lacks weights');
  const source = node.add(
    {
      className: 'BatchNormalization',
      name: node.name(...constants),
      config: {
        axis: -1,
        momentum: decimal(node.float('momentum', 0.9)),
        epsilon: decimal(node.float('epsilon', 1e-5)),
        center: true,
        scale: true,
      },
      weights: { gamma, beta, moving_mean: mean, moving_variance: variance },
      sharedBy: node.sharingKey(constants, order),
    },
    [ready.source],
  );
  return { ...ready, source, isNonNegative: false };
};

/** The shortest decimal number that is this float32: a file holds 0.001 as 0.0010000000474974513. */
export function decimal(value: number): number {
  for (let digits = 1; digits < 10; digits++) {
    const rounded = Number(value.toPrecision(digits));
    if (Math.fround(rounded) === value) return rounded;
  }
  return value;
}
