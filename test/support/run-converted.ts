import { encodeModel } from '@atelier/onnx';
import { convert, type ConvertOptions, type LayersModelArtifacts } from '@atelier/tfjs-to-onnx';

process.env['ORT_DISABLE_TELEMETRY'] = '1'; // read when the library loads
const { InferenceSession, Tensor } = await import('onnxruntime-node');

/** Numbers, row-major. */
export interface Numbers {
  shape: readonly number[];
  values: readonly number[];
  /** float32 where nothing is said. */
  type?: 'float32' | 'int32' | 'bool';
}

/** What the ONNX model of `artifacts` gives for `inputs`, which go in the order of the model's inputs. */
export async function runConverted(
  artifacts: LayersModelArtifacts,
  inputs: readonly Numbers[],
  options: ConvertOptions = {},
): Promise<(Numbers & { name: string })[]> {
  const { model, summary } = convert(artifacts, options);
  const session = await InferenceSession.create(encodeModel(model), { executionProviders: ['cpu'] });
  try {
    const feeds = Object.fromEntries(
      inputs.map(({ shape, values, type = 'float32' }, index) => {
        return [summary.inputs[index]?.name ?? '', tensorOf(type, values, shape)];
      }),
    );
    const found = await session.run(feeds);
    return summary.outputs.map(({ name }) => {
      const { dims = [], data = [], type } = found[name] ?? {};
      return { name, shape: [...dims], values: Array.from(data as Float32Array, Number), type: type as 'float32' };
    });
  } finally {
    await session.release();
  }
}

function tensorOf(type: 'float32' | 'int32' | 'bool', values: readonly number[], shape: readonly number[]) {
  if (type === 'int32') return new Tensor(type, Int32Array.from(values), [...shape]);
  if (type === 'bool') return new Tensor(type, Uint8Array.from(values), [...shape]);
  return new Tensor(type, Float32Array.from(values), [...shape]);
}
