import { int } from '@atelier/onnx';
import { data, type GradientCase, variable } from '../example.ts';
import { at, build, zip } from '../tensor64.ts';

const FLOAT32 = 1; // TensorProto.DataType.FLOAT

export const SELECTION: readonly GradientCase[] = [
  {
    operator: 'Cast',
    example: (draw) => ({
      attributes: { to: int(FLOAT32) },
      inputs: [{ values: draw.values(draw.shape(0, 3)), type: draw.pick('float32', 'float64'), role: 'variable' }],
      forward: (x) => [x],
    }),
  },
  {
    operator: 'Where',
    example: (draw) => {
      const [condition = [], first = [], second = []] = draw.broadcastShapes(3);
      return {
        inputs: [
          data(draw.integers(condition, 0, 1), 'bool'),
          variable(draw.values(first)),
          variable(draw.values(second)),
        ],
        forward: (...operands) => [zip(operands, (...[is = NaN, a = NaN, b = NaN]) => (is === 1 ? a : b))],
      };
    },
  },
  {
    operator: 'Gather',
    about: 'with indices that come twice or count from the end',
    example: (draw) => {
      const shape = draw.shape(1, 3);
      const [axis, written] = [0, draw.pick(0, -shape.length)];
      const size = shape[axis] ?? 1;
      const positions = draw.integers(draw.shape(0, 2), -size, size - 1);
      return {
        attributes: draw.boolean() ? {} : { axis: int(written) },
        inputs: [variable(draw.values(shape)), data(positions, draw.pick('int64', 'int32'))],
        forward: (x) => [
          build([...shape.slice(0, axis), ...positions.shape, ...shape.slice(axis + 1)], (position) => {
            const index = at(positions, position.slice(axis, axis + positions.shape.length));
            const rest = position.slice(axis + positions.shape.length);
            return at(x, [...position.slice(0, axis), index < 0 ? index + size : index, ...rest]);
          }),
        ],
      };
    },
  },
];
