import { type Attribute, int, int64Values, int64Vector, ints, type OnnxNode, type OnnxTensor } from '@atelier/onnx';
import { type Permutation, withoutAxes } from './permutations.ts';

/** A node whose first input is a transposed value, made to work on what was transposed. */
export interface Moved {
  attributes: OnnxNode['attributes'];
  /** Constants in place of inputs that name axes, by the index of the input. */
  constants: ReadonlyMap<number, OnnxTensor>;
  /** How the result is transposed. */
  permutation: Permutation;
}

/** What a rule sees: the node, the constants among its inputs, and how its first input is transposed. */
interface Movable {
  node: OnnxNode;
  constant: (index: number) => OnnxTensor | undefined;
  permutation: Permutation;
}

type Mover = (movable: Movable) => Moved | undefined;

const NONE: ReadonlyMap<number, OnnxTensor> = new Map();

/** Takes each element by itself. */
const elementwise: Mover = ({ node, permutation }) => ({ attributes: node.attributes, constants: NONE, permutation });

/** Has one axis, as an attribute. */
const alongAxis =
  (fallback: number): Mover =>
  ({ node, permutation }) => {
    const axis = numberOf(node.attributes['axis']) ?? fallback;
    return {
      attributes: { ...node.attributes, axis: int(sourceAxis(permutation, axis)) },
      constants: NONE,
      permutation,
    };
  };

const reduction: Mover = ({ node, constant, permutation }) => {
  const attribute = node.attributes['axes'];
  const written = attribute?.type === 'ints' ? attribute.value.map(Number) : wholeNumbers(constant(1));
  if (!written) return undefined;
  const rank = permutation.length;
  const axes = written.map((axis) => (axis < 0 ? axis + rank : axis));
  const sources = axes.map((axis) => permutation[axis] ?? 0).sort((a, b) => a - b);
  const keeps = (numberOf(node.attributes['keepdims']) ?? 1) !== 0;
  return {
    attributes: attribute ? { ...node.attributes, axes: ints(sources) } : node.attributes,
    constants: attribute ? NONE : new Map([[1, int64Vector('axes', sources)]]),
    permutation: keeps ? permutation : withoutAxes(permutation, new Set(axes)),
  };
};

const pad: Mover = ({ node, constant, permutation }) => {
  const written = wholeNumbers(constant(1));
  const rank = permutation.length;
  if (written?.length !== 2 * rank || (node.inputs[3] ?? '') !== '') return undefined;
  const pads = new Array<number>(2 * rank).fill(0);
  permutation.forEach((source, axis) => {
    pads[source] = written[axis] ?? 0;
    pads[source + rank] = written[axis + rank] ?? 0;
  });
  return { attributes: node.attributes, constants: new Map([[1, int64Vector('pads', pads)]]), permutation };
};

/** Takes elements along one axis; the indices have one axis, or the ranks differ. */
const gather: Mover = ({ node, constant, permutation }) => {
  if (constant(1)?.shape.length !== 1) return undefined;
  const axis = numberOf(node.attributes['axis']) ?? 0;
  return {
    attributes: { ...node.attributes, axis: int(sourceAxis(permutation, axis)) },
    constants: NONE,
    permutation,
  };
};

const slice: Mover = ({ node, constant, permutation }) => {
  const axes = wholeNumbers(constant(3));
  if (!axes) return undefined;
  const sources = axes.map((axis) => sourceAxis(permutation, axis));
  return { attributes: node.attributes, constants: new Map([[3, int64Vector('axes', sources)]]), permutation };
};

/** Operators with one transposed input. */
export const MOVERS: Partial<Record<string, Mover>> = {
  ...each(
    'Abs Cast Ceil Clip Cos Elu Erf Exp Floor Gelu HardSigmoid HardSwish Identity LeakyRelu Log Mish Neg',
    elementwise,
  ),
  ...each('Not Reciprocal Relu Round Selu Sigmoid Sign Sin Softplus Softsign Sqrt Tanh ThresholdedRelu', elementwise),
  ...each('ReduceL2 ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare', reduction),
  ...each('LogSoftmax Softmax', alongAxis(-1)),
  Gather: gather,
  Pad: pad,
  Slice: slice,
  Split: alongAxis(0),
};

/** Operators that combine values of one rank element by element. */
export const BROADCASTING: ReadonlySet<string> = new Set(
  'Add And Div Equal Greater GreaterOrEqual Less LessOrEqual Max Mean Min Mul Or PRelu Pow Sub Sum Where'.split(' '),
);

/** The axis of the source that is `axis` of the transposed value. */
export function sourceAxis(permutation: Permutation, axis: number): number {
  return permutation[axis < 0 ? axis + permutation.length : axis] ?? 0;
}

export function numberOf(attribute: Attribute | undefined): number | undefined {
  return attribute?.type === 'int' ? Number(attribute.value) : undefined;
}

function wholeNumbers(tensor: OnnxTensor | undefined): number[] | undefined {
  return tensor?.type === 'int64' ? Array.from(int64Values(tensor), Number) : undefined;
}

function each(names: string, mover: Mover): Record<string, Mover> {
  return Object.fromEntries(names.split(' ').map((name) => [name, mover]));
}
