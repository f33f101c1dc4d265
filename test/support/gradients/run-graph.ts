import { encodeModel, model, type OnnxGraph } from '@atelier/onnx';
import type { Input } from './example.ts';
import { type Tensor64, tensor64 } from './tensor64.ts';

process.env['ORT_DISABLE_TELEMETRY'] = '1'; // read when the library loads
const { InferenceSession, Tensor } = await import('onnxruntime-node');

/** What a runtime gave, and of which element type it was. */
export interface Result extends Tensor64 {
  readonly type: string;
}

/** What onnxruntime's CPU provider gives for all outputs of a graph; `feeds` may have more than the graph takes. */
export async function runGraph(
  graph: OnnxGraph,
  opset: number,
  feeds: Readonly<Record<string, Input>>,
): Promise<Readonly<Record<string, Result>>> {
  const bytes = encodeModel(model(graph, { opsetImports: [{ domain: '', version: opset }] }));
  const session = await InferenceSession.create(bytes, { intraOpNumThreads: 1, logSeverityLevel: 3 });
  try {
    const names = graph.inputs.map(({ name }) => name);
    const tensors = names.map((name) => {
      const feed = feeds[name];
      if (feed === undefined) throw new Error(`The graph takes "${name}", and nothing is there for it.`);
      return [name, runtimeTensor(feed)] as const;
    });
    const outputs = await session.run(Object.fromEntries(tensors));
    return Object.fromEntries(
      Object.entries(outputs).map(([name, { type, dims, data }]) => [
        name,
        { type, ...tensor64(dims, Array.from(data as ArrayLike<number | bigint>, Number)) },
      ]),
    );
  } finally {
    await session.release();
  }
}

function runtimeTensor({ type, values: { shape, data } }: Input) {
  switch (type) {
    case 'float32':
      return new Tensor('float32', Float32Array.from(data), shape);
    case 'float64':
      return new Tensor('float64', data, shape);
    case 'int32':
      return new Tensor('int32', Int32Array.from(data), shape);
    case 'int64':
      return new Tensor('int64', BigInt64Array.from(Array.from(data, BigInt)), shape);
    case 'bool':
      return new Tensor('bool', Uint8Array.from(data), shape);
  }
}
