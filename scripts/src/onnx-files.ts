import { encodeModelChunks, externalise, type OnnxModel } from '@atelier/onnx';
import type { FileContents } from './files.ts';

/** Weights from here on go into a file of their own: protobuf ends at 2 GiB, and the graph needs some room. */
const LARGEST_WEIGHTS_BYTES = 2 ** 31 - 2 ** 26;

/** A model as the file `name` or, where it is asked for or the weights are beyond 2 GiB, with `name.data` beside it. */
export function onnxFiles(model: OnnxModel, name: string, options: { externalData: boolean }): FileContents {
  const bytes = model.graph.initializers.reduce((total, { data }) => total + data.length, 0);
  if (!options.externalData && bytes <= LARGEST_WEIGHTS_BYTES) return { [name]: encodeModelChunks(model) };
  const { model: external, chunks } = externalise(model, { location: `${name}.data` });
  return { [name]: encodeModelChunks(external), ...(chunks.length > 0 && { [`${name}.data`]: chunks }) };
}
