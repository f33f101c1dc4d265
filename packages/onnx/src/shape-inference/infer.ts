import { dataTypeOf, elementCount } from '../data-types.ts';
import type { Dimension, OnnxGraph, OnnxNode, OnnxTensor } from '../model.ts';
import { float32Values, int64Values, valuesOf } from '../tensors.ts';
import { type InferenceRule, NodeFacts, UNKNOWN, type ValueFacts } from './facts.ts';
import * as layouts from './layouts.ts';
import { broadcastShapes } from './sizes.ts';
import * as windows from './windows.ts';

/** The longest vector of integers whose elements are followed: no rank is higher. */
const LONGEST_FOLLOWED = 64;

const same: InferenceRule = (node) => [withoutElements(node.input(0))];
const sameAsMany: InferenceRule = (node) => node.node.outputs.map(() => withoutElements(node.input(0)));
const broadcast: InferenceRule = ({ inputs }) => [
  { type: inputs[0]?.type ?? 'other', shape: broadcastShapes(...inputs.map(({ shape }) => shape)) },
];
const truth: InferenceRule = (node) => broadcast(node).map((facts) => ({ ...facts, type: 'bool' }));

/** Element-wise arithmetic, which is also done on known sizes. */
const arithmetic =
  (compute: (first: number, second: number) => number): InferenceRule =>
  (node) => {
    const [result = UNKNOWN] = broadcast(node);
    const [first, second] = [node.input(0).elements, node.input(1).elements];
    if (!first || !second) return [result];
    const at = (elements: readonly Dimension[], index: number) => elements[elements.length === 1 ? 0 : index] ?? null;
    const elements = Array.from({ length: Math.max(first.length, second.length) }, (_, index): Dimension => {
      const [one, other] = [at(first, index), at(second, index)];
      return typeof one === 'number' && typeof other === 'number' ? compute(one, other) : null;
    });
    return [{ ...result, elements }];
  };

const matMul: InferenceRule = (node) => {
  const [first, second] = [node.input(0), node.input(1)];
  if (!first.shape || !second.shape) return [{ type: first.type, shape: null }];
  const rows = first.shape.length > 1 ? [first.shape.at(-2) ?? null] : [];
  const columns = second.shape.length > 1 ? [second.shape.at(-1) ?? null] : [];
  const batch = broadcastShapes(first.shape.slice(0, -2), second.shape.slice(0, -2)) ?? [];
  return [{ type: first.type, shape: [...batch, ...rows, ...columns] }];
};

const gemm: InferenceRule = (node) => {
  const rows = node.input(0).shape?.[node.int('transA', 0) ? 1 : 0] ?? null;
  const columns = node.input(1).shape?.[node.int('transB', 0) ? 0 : 1] ?? null;
  return [{ type: node.input(0).type, shape: [rows, columns] }];
};

const cast: InferenceRule = (node) => {
  const { shape, elements } = node.input(0);
  const type = dataTypeOf(node.int('to', 0)) ?? 'other';
  return [{ type, shape, ...(elements && { elements }) }];
};

const constant: InferenceRule = (node) => {
  const tensor = node.attribute('value', 'tensor');
  return [tensor ? factsOf(tensor) : UNKNOWN];
};

const dequantize: InferenceRule = (node) => [{ type: node.input(1).type, shape: node.input(0).shape }];

const where: InferenceRule = (node) => [
  { type: node.input(1).type, shape: broadcastShapes(...node.inputs.map(({ shape }) => shape)) },
];

const range: InferenceRule = (node) => [{ type: node.input(0).type, shape: [null] }];

/** By operator of the standard set; what is missing here is unknown. */
const RULES: Partial<Record<string, InferenceRule>> = {
  ...each('Abs Acos Asin Atan BatchNormalization CastLike Ceil Celu Clip Cos Cosh CumSum Elu Erf Exp Floor Gelu', same),
  ...each(
    'GroupNormalization HardSigmoid HardSwish Hardmax InstanceNormalization LayerNormalization LeakyRelu Log LogSoftmax',
    same,
  ),
  ...each('LpNormalization LRN MeanVarianceNormalization Mish Neg Not PRelu Reciprocal Relu ReverseSequence', same),
  ...each(
    'Round ScatterElements ScatterND Selu Shrink Sigmoid Sign Sin Sinh Softmax Softplus Softsign Sqrt Swish Tan',
    same,
  ),
  ...each('Tanh ThresholdedRelu Trilu', same),
  ...each('Dropout Identity', (node) => [node.input(0), { type: 'bool', shape: node.input(0).shape }]),
  ...each('And Equal Greater GreaterOrEqual Less LessOrEqual Or Xor', truth),
  ...each('Max Mean Min Mod Pow Sum', broadcast),
  ...each('IsNaN IsInf', (node) => sameAsMany(node).map((facts) => ({ ...facts, type: 'bool' }))),
  ...each('ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin', layouts.reduce),
  ...each('ReduceProd ReduceSum ReduceSumSquare', layouts.reduce),
  ...each('ArgMax ArgMin', layouts.argument),
  ...each('LSTM GRU RNN', layouts.recurrent),
  ...each('MaxPool AveragePool LpPool', windows.pool),
  ...each('GlobalAveragePool GlobalMaxPool GlobalLpPool', windows.globalPool),
  Add: arithmetic((first, second) => first + second),
  Cast: cast,
  Concat: layouts.concat,
  Constant: constant,
  ConstantOfShape: layouts.constantOfShape,
  Conv: windows.conv,
  ConvTranspose: windows.convTranspose,
  DequantizeLinear: dequantize,
  Div: arithmetic((first, second) => Math.trunc(first / second)),
  Einsum: layouts.einsum,
  Expand: layouts.expand,
  Flatten: layouts.flatten,
  Gather: layouts.gather,
  Gemm: gemm,
  MatMul: matMul,
  Mul: arithmetic((first, second) => first * second),
  OneHot: layouts.oneHot,
  Pad: layouts.pad,
  Range: range,
  Reshape: layouts.reshape,
  Resize: windows.resize,
  Scan: layouts.scan,
  Shape: layouts.shapeOf,
  Slice: layouts.slice,
  Split: layouts.split,
  Squeeze: layouts.squeeze,
  Sub: arithmetic((first, second) => first - second),
  Tile: layouts.tile,
  Transpose: layouts.transpose,
  Unsqueeze: layouts.unsqueeze,
  Upsample: windows.upsample,
  Where: where,
};

/**
 * Facts of the outputs of a node, from those of its inputs (ONNX, "Shape Inference"). Nothing is checked: of a node that
 * does not fit its inputs, or that is not known here, the facts are unknown or wrong.
 */
export function inferNode(
  node: OnnxNode,
  known: (name: string) => ValueFacts | undefined,
  opset: number,
): readonly ValueFacts[] {
  const isStandard = node.domain === '' || node.domain === 'ai.onnx';
  const rule = isStandard && Object.hasOwn(RULES, node.opType) ? RULES[node.opType] : undefined;
  const inputs = node.inputs.map((name) => (name === '' ? undefined : known(name)));
  const facts = rule?.(new NodeFacts(node, inputs, opset)) ?? [];
  return node.outputs.map((_, index) => facts[index] ?? UNKNOWN);
}

/** Facts of every named value of a graph, from its inputs and constants forwards; written ones count where none are found. */
export function inferGraph(graph: OnnxGraph, opset: number): ReadonlyMap<string, ValueFacts> {
  const known = new Map<string, ValueFacts>();
  for (const { name, type, shape } of [...graph.values, ...graph.outputs, ...graph.inputs]) {
    known.set(name, { type, shape });
  }
  for (const tensor of graph.initializers) known.set(tensor.name, factsOf(tensor));
  for (const node of graph.nodes) {
    const facts = inferNode(node, (name) => known.get(name), opset);
    node.outputs.forEach((name, index) => {
      const found = facts[index] ?? UNKNOWN;
      const written = known.get(name);
      known.set(name, found.shape === null && written ? { ...found, ...written } : found);
    });
  }
  return known;
}

/** Facts of a constant; the elements of a short vector are known. */
export function factsOf(tensor: OnnxTensor): ValueFacts {
  const { type, shape } = tensor;
  const facts: ValueFacts = { type, shape };
  if (shape.length > 1 || elementCount(shape) > LONGEST_FOLLOWED || tensor.external) return facts;
  if (type === 'float32') return { ...facts, floats: Array.from(float32Values(tensor)) };
  if (type === 'int64') return { ...facts, elements: Array.from(int64Values(tensor), Number) };
  return type === 'int32' ? { ...facts, elements: Array.from(valuesOf(tensor, 'int32')) } : facts;
}

function withoutElements({ type, shape }: ValueFacts): ValueFacts {
  return { type, shape };
}

function each(names: string, rule: InferenceRule): Record<string, InferenceRule> {
  return Object.fromEntries(names.split(' ').map((name) => [name, rule]));
}
