import { type OnnxGraph, type OnnxModel, type OnnxNode, float32Values, value } from '@atelier/onnx';

/** A dense layer of a published graph. */
export interface DenseLayer {
  inputs: number;
  units: number;
  /** [inputs, units], row-major. */
  kernel: Float32Array;
  /** The value that it reads, [batch, inputs]: for all but the first, what the hidden layer before it gives. */
  input: string;
}

/** The dense layers of a graph that gives logits and nothing else, from the input on. */
export function denseLayers({ nodes, initializers }: OnnxGraph): DenseLayer[] {
  const tensors = new Map(initializers.map((tensor) => [tensor.name, tensor]));
  return nodes.flatMap((node) => {
    const [input = '', kernelName = ''] = node.inputs;
    const kernel = tensors.get(kernelName);
    if ((node.opType !== 'Gemm' && node.opType !== 'MatMul') || kernel?.shape.length !== 2) return [];
    const values = float32Values(kernel);
    const [rows = 0, columns = 0] = kernel.shape;
    if (!isTransposed(node)) return [{ inputs: rows, units: columns, kernel: values, input }];
    return [{ inputs: columns, units: rows, kernel: transposed(values, rows, columns), input }];
  });
}

/** `model` with the named float32 values [batch, width] among its outputs. */
export function withOutputs(model: OnnxModel, extra: readonly { name: string; width: number }[]): OnnxModel {
  const { graph } = model;
  const outputs = extra
    .filter(({ name }) => !graph.outputs.some((output) => output.name === name))
    .map(({ name, width }) => value(name, 'float32', ['batch', width]));
  return { ...model, graph: { ...graph, outputs: [...graph.outputs, ...outputs] } };
}

function isTransposed({ attributes: { transB } }: OnnxNode): boolean {
  return transB?.type === 'int' && Number(transB.value) === 1;
}

function transposed(values: Float32Array, rows: number, columns: number): Float32Array {
  return Float32Array.from(values, (_, place) => values[(place % rows) * columns + Math.floor(place / rows)] ?? 0);
}
