import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { type Elements, isElementType, type NamedTensors, type TensorValues } from './tensor-values.ts';

/**
 * What onnxruntime makes of `inputs` on the CPU, by the names of the model's outputs. `model` is a file's bytes or its path;
 * one with external data must be a path. A model that onnxruntime refuses, or inputs that do not fit, is its own error.
 */
export async function runOnnxModel(model: Uint8Array | string, inputs: NamedTensors): Promise<NamedTensors> {
  process.env['ORT_DISABLE_TELEMETRY'] = '1'; // read when the library loads
  const { InferenceSession, Tensor } = await import('onnxruntime-node');
  const options: InferenceSession.SessionOptions = { executionProviders: ['cpu'], logSeverityLevel: 3 };
  const session = await (typeof model === 'string'
    ? InferenceSession.create(model, options)
    : InferenceSession.create(model, options));
  try {
    const feeds = Object.entries(inputs).map(([name, { type, data, shape }]) => [
      name,
      // The typed array always fits the type's name here, which the library's overloads cannot see.
      new Tensor(type as 'float32', data as Float32Array, shape),
    ]);
    const results = await session.run(Object.fromEntries(feeds) as Record<string, Tensor>);
    return Object.fromEntries(session.outputNames.map((name) => [name, valuesOf(name, results[name])]));
  } finally {
    await session.release();
  }
}

function valuesOf(name: string, tensor: Tensor | undefined): TensorValues {
  if (tensor && isElementType(tensor.type)) {
    return { type: tensor.type, shape: tensor.dims, data: tensor.data as Elements };
  }
  throw new Error(`Output "${name}" is of ${tensor?.type ?? 'no type'}, which is not compared.`);
}
