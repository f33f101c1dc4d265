import { int64Vector, type OnnxTensor, tensor } from '@atelier/onnx';
import type { NodeView } from '../node-view.ts';
import type { Operator } from './operator.ts';

/** Operators whose results are known when the graph is built: what needs a constant takes them. */
export const CONSTANTS = {
  Constant: {
    infer: (node) => {
      const constant = heldBy(node);
      if (constant !== undefined) return [{ type: constant.type, shape: constant.shape }];
      throw node.unsupported('supported: value, value_float, value_floats, value_int and value_ints.');
    },
    constant: heldBy,
  },
  Shape: {
    infer: (node) => [{ type: 'int64', shape: [sizes(node).length] }],
    constant: (node) => int64Vector(node.output(0), sizes(node)),
  },
} satisfies Record<string, Operator>;

/** What a Constant node holds, in whichever of its attributes that we read. */
function heldBy(node: NodeView): OnnxTensor | undefined {
  const name = node.output(0);
  const {
    value,
    value_float: number,
    value_floats: numbers,
    value_int: integer,
    value_ints: integers,
  } = node.node.attributes;
  if (value?.type === 'tensor') return { ...value.value, name };
  if (number?.type === 'float') return tensor(name, 'float32', [], [number.value]);
  if (numbers?.type === 'floats') return tensor(name, 'float32', [numbers.value.length], numbers.value);
  if (integer?.type === 'int') return tensor(name, 'int64', [], [integer.value]);
  if (integers?.type === 'ints') return tensor(name, 'int64', [integers.value.length], integers.value);
  return undefined;
}

/** The sizes that a Shape gives: those from axis `start` to before `end`. */
function sizes(node: NodeView): readonly number[] {
  const shape = node.shapeOf(0);
  return shape.slice(node.int('start', 0), node.int('end', shape.length)); // counted and clamped as slice does it
}
