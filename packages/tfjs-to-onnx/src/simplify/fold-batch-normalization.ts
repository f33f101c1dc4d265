import { float32Tensor, float32Values, type OnnxGraph, type OnnxNode, type OnnxTensor } from '@atelier/onnx';
import { numberOf } from './movable-operators.ts';
import { Uses } from './uses.ts';

/** ONNX's default of a BatchNormalization without `epsilon`. */
const DEFAULT_EPSILON = 1e-5;

/**
 * Multiplies the weights of a Conv, a ConvTranspose or a Gemm with the BatchNormalization behind it, which goes: one operator
 * less, and other weights than the file has. Only where nobody else takes the result or the weights. The products are made in
 * float64 and rounded once, so results differ by some roundings of float32.
 */
export function foldBatchNormalization(graph: OnnxGraph): OnnxGraph {
  const uses = new Uses(graph);
  const replaced = new Map<OnnxNode, OnnxNode | undefined>();
  const constants: OnnxTensor[] = [];
  for (const normalization of graph.nodes.filter(({ opType }) => opType === 'BatchNormalization')) {
    const linear = uses.onlyFor(normalization.inputs[0]);
    const axis = linear && outputAxis(linear);
    const scaling = scalingOf(normalization, uses);
    const [input = '', kernelName, biasName = ''] = linear?.inputs ?? [];
    const kernel = floats(kernelName, uses);
    const bias = biasName === '' ? undefined : floats(biasName, uses);
    if (!linear || axis === undefined || !scaling || !kernel || (biasName !== '' && !bias)) continue;
    const count = kernel.shape[axis] ?? 0;
    if (scaling.factors.length !== count || (bias && bias.shape.join() !== String(count))) continue;
    const [name = ''] = normalization.outputs;
    const scaled = float32Tensor(`${kernel.name}/folded`, kernel.shape, scaledAlong(kernel, axis, scaling.factors));
    const shifted = float32Tensor(`${name}/folded_bias`, [count], shiftedBias(bias, scaling));
    constants.push(scaled, shifted);
    replaced.set(normalization, undefined);
    replaced.set(linear, { ...linear, name, inputs: [input, scaled.name, shifted.name], outputs: [name] });
  }
  return uses.replaced(replaced, constants);
}

/** y = x · factor + offset, for each channel. */
interface Scaling {
  factors: readonly number[];
  offsets: readonly number[];
}

/** (x - mean) / √(variance + ε) · scale + bias, as ONNX defines the operator. */
function scalingOf({ inputs, outputs, attributes }: OnnxNode, uses: Uses): Scaling | undefined {
  const [scale, bias, mean, variance] = inputs.slice(1).map((name) => uses.constant(name));
  const isPlain = outputs.length === 1 && (numberOf(attributes['training_mode']) ?? 0) === 0;
  if (!isPlain || !scale || !bias || !mean || !variance) return undefined;
  if ([scale, bias, mean, variance].some(({ type }) => type !== 'float32')) return undefined;
  const written = attributes['epsilon'];
  const epsilon = written?.type === 'float' ? written.value : DEFAULT_EPSILON;
  const variances = float32Values(variance);
  const factors = Array.from(
    float32Values(scale),
    (each, channel) => each / Math.sqrt((variances[channel] ?? 0) + epsilon),
  );
  const means = float32Values(mean);
  const offsets = Array.from(
    float32Values(bias),
    (each, channel) => each - (means[channel] ?? 0) * (factors[channel] ?? 0),
  );
  return { factors, offsets };
}

/** The axis of the kernel that the outputs are along; undefined for an operator that is not merged. */
function outputAxis({ opType, attributes }: OnnxNode): number | undefined {
  if (opType === 'Conv') return 0;
  if (opType === 'ConvTranspose') return (numberOf(attributes['group']) ?? 1) === 1 ? 1 : undefined;
  const isScaled = attributes['alpha'] !== undefined || attributes['beta'] !== undefined;
  return opType === 'Gemm' && !isScaled ? ((numberOf(attributes['transB']) ?? 0) === 0 ? 1 : 0) : undefined;
}

/** A constant of float32 that one node takes. */
function floats(name: string | undefined, uses: Uses): OnnxTensor | undefined {
  const tensor = uses.constant(name);
  return tensor?.type === 'float32' && uses.isTakenOnce(name) ? tensor : undefined;
}

function scaledAlong(tensor: OnnxTensor, axis: number, factors: readonly number[]): Float32Array {
  const block = tensor.shape.slice(axis + 1).reduce((product, size) => product * size, 1);
  const scaled = Float32Array.from(float32Values(tensor));
  for (let index = 0; index < scaled.length; index++) {
    const factor = factors[Math.floor(index / block) % factors.length] ?? 1;
    scaled[index] = (scaled[index] ?? 0) * factor;
  }
  return scaled;
}

function shiftedBias(bias: OnnxTensor | undefined, { factors, offsets }: Scaling): Float32Array {
  const own = bias && float32Values(bias);
  return Float32Array.from(offsets, (offset, channel) => (own?.[channel] ?? 0) * (factors[channel] ?? 0) + offset);
}
