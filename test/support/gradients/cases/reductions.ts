import { int, ints } from '@atelier/onnx';
import type { Draw } from '../draw.ts';
import { type Example, type GradientCase, variable, wholeNumbers } from '../example.ts';
import { build, eachPosition, mean, reshaped, sum, type Tensor64 } from '../tensor64.ts';

type Reduce = (source: Tensor64, axes: readonly number[]) => Tensor64;

/** Of each group of elements that are reduced to one, the one that `choose` gives. */
function extreme(choose: (first: number, second: number) => number): Reduce {
  return (source, axes) => {
    const shape = source.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
    return build(shape, (kept) => {
      const group: number[] = [];
      eachPosition(source.shape, (position, index) => {
        const isOfGroup = kept.every((at, axis) => axes.includes(axis) || at === position[axis]);
        if (isOfGroup) group.push(source.data[index] ?? NaN);
      });
      return group.reduce((first, second) => choose(first, second));
    });
  };
}
const [largest, smallest] = [extreme(Math.max), extreme(Math.min)];

/** Axes from the front or the back, or none, which means all, or with `noop_with_empty_axes` nothing. */
function reduction(draw: Draw, reduce: Reduce, axesAre: 'input' | 'attribute'): Omit<Example, 'opsets'> {
  const shape = draw.shape(0, 3);
  const chosen = draw.pick(null, draw.subset(shape.length, Math.min(1, shape.length)));
  const written = chosen?.map((axis) => (draw.boolean() ? axis : axis - shape.length)) ?? null;
  const doesNothing = axesAre === 'input' && written === null && draw.boolean();
  const keeps = draw.pick(undefined, 0, 1);
  const axes = chosen === null || chosen.length === 0 ? (doesNothing ? [] : [...shape.keys()]) : chosen;
  return {
    attributes: {
      ...(keeps === undefined ? {} : { keepdims: int(keeps) }),
      ...(doesNothing ? { noop_with_empty_axes: int(1) } : {}),
      ...(axesAre === 'attribute' && written !== null && written.length > 0 ? { axes: ints(written) } : {}),
    },
    inputs: [
      variable(draw.distinct(shape)),
      ...(axesAre === 'input' && written !== null ? [wholeNumbers(written)] : []),
    ],
    forward: (x) => {
      const result = reduce(x, axes);
      return [
        keeps === 0
          ? reshaped(
              result,
              result.shape.filter((_, axis) => !axes.includes(axis)),
            )
          : result,
      ];
    },
  };
}

export const REDUCTIONS: readonly GradientCase[] = [
  { operator: 'ReduceSum', example: (draw) => reduction(draw, sum, 'input') },
  {
    operator: 'ReduceMean',
    about: 'with axes as an attribute, until version 17',
    example: (draw) => ({ ...reduction(draw, mean, 'attribute'), opsets: [16, 17] }),
  },
  {
    operator: 'ReduceMean',
    about: 'with axes as an input, from version 18 on',
    example: (draw) => ({ ...reduction(draw, mean, 'input'), opsets: [18, 22] }),
  },
  ...Object.entries({ ReduceMax: largest, ReduceMin: smallest }).flatMap(([operator, reduce]): GradientCase[] => [
    {
      operator,
      about: 'with axes as an attribute, until version 17',
      example: (draw) => ({ ...reduction(draw, reduce, 'attribute'), opsets: [16, 17] }),
    },
    {
      operator,
      about: 'with axes as an input, from version 18 on',
      example: (draw) => ({ ...reduction(draw, reduce, 'input'), opsets: [18, 22] }),
    },
  ]),
];
