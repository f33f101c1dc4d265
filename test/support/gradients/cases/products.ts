import { float, int } from '@atelier/onnx';
import { type GradientCase, variable } from '../example.ts';
import { at, build, type Tensor64 } from '../tensor64.ts';

export const PRODUCTS: readonly GradientCase[] = [
  {
    operator: 'Gemm',
    example: (draw) => {
      const [rows, inner, columns] = [draw.integer(1, 4), draw.integer(1, 4), draw.integer(1, 4)];
      const [transA, transB] = [draw.boolean(), draw.boolean()];
      const [alpha, beta] = [draw.pick(undefined, draw.number(-2, 2)), draw.pick(undefined, draw.number(-2, 2))];
      const bias = draw.pick(null, draw.broadcastShape([rows, columns]));
      return {
        attributes: {
          ...(transA ? { transA: int(1) } : {}),
          ...(transB ? { transB: int(1) } : draw.boolean() ? { transB: int(0) } : {}),
          ...(alpha === undefined ? {} : { alpha: float(alpha) }),
          ...(beta === undefined ? {} : { beta: float(beta) }),
        },
        inputs: [
          variable(draw.values(transA ? [inner, rows] : [rows, inner])),
          variable(draw.values(transB ? [columns, inner] : [inner, columns])),
          ...(bias === null ? [] : [variable(draw.values(bias))]),
        ],
        forward: (first, second, third) => [
          build([rows, columns], ([row = 0, column = 0]) => {
            let total = 0;
            for (let k = 0; k < inner; k++) {
              const left = at(first, transA ? [k, row] : [row, k]);
              total += left * at(second, transB ? [column, k] : [k, column]);
            }
            return (alpha ?? 1) * total + (third === undefined ? 0 : (beta ?? 1) * at(third, [row, column]));
          }),
        ],
      };
    },
  },
  {
    operator: 'MatMul',
    about: 'of stacks of matrices',
    example: (draw) => {
      const [rows, inner, columns] = [draw.integer(1, 3), draw.integer(1, 4), draw.integer(1, 3)];
      const [firstStack = [], secondStack = []] = draw.broadcastShapes(2, 2);
      return {
        inputs: [
          variable(draw.values([...firstStack, rows, inner])),
          variable(draw.values([...secondStack, inner, columns])),
        ],
        forward: (first, second) => [matrixProduct(first, second)],
      };
    },
  },
  {
    operator: 'MatMul',
    about: 'with a vector on one side or on both',
    example: (draw) => {
      const [inner, stack] = [draw.integer(1, 4), draw.shape(0, 2, 3)];
      const side = draw.pick('left', 'right', 'both');
      const vector = variable(draw.values([inner]));
      const matrices = variable(
        draw.values(side === 'left' ? [...stack, inner, draw.integer(1, 3)] : [...stack, draw.integer(1, 3), inner]),
      );
      const inputs =
        side === 'left'
          ? [vector, matrices]
          : side === 'right'
            ? [matrices, vector]
            : [vector, variable(draw.values([inner]))];
      return {
        inputs,
        forward: (first, second) => {
          const [left, right] = [first, second];
          const isRow = left.shape.length === 1;
          const isColumn = right.shape.length === 1;
          const result = matrixProduct(
            isRow ? { ...left, shape: [1, ...left.shape] } : left,
            isColumn ? { ...right, shape: [...right.shape, 1] } : right,
          );
          const { length } = result.shape;
          const shape = result.shape.filter(
            (_, axis) => !((isRow && axis === length - 2) || (isColumn && axis === length - 1)),
          );
          return [{ ...result, shape }];
        },
      };
    },
  },
];

/** Of stacks of matrices, broadcast against each other. */
function matrixProduct(first: Tensor64, second: Tensor64): Tensor64 {
  const rank = Math.max(first.shape.length, second.shape.length);
  const stack = Array.from({ length: rank - 2 }, (_, axis) =>
    Math.max(first.shape.at(axis - rank) ?? 1, second.shape.at(axis - rank) ?? 1),
  );
  const inner = first.shape.at(-1) ?? 1;
  return build([...stack, first.shape.at(-2) ?? 1, second.shape.at(-1) ?? 1], (position) => {
    const place = position.slice(0, -2);
    const [row = 0, column = 0] = position.slice(-2);
    let total = 0;
    for (let k = 0; k < inner; k++) total += at(first, [...place, row, k]) * at(second, [...place, k, column]);
    return total;
  });
}
