/** What else people give for a `model.json`, and what makes one of it. */

const FROM_KERAS = (format: string, file: string) =>
  `tensorflowjs_converter --input_format=${format} --output_format=tfjs_layers_model ${file} FOLDER makes a layers model of it`;

/** The beginnings of files, and the rest of a sentence that says what such a file is. */
const BEGINNINGS: readonly (readonly [beginning: string, offset: number, description: string])[] = [
  ['\x89HDF\r\n\x1a\n', 0, `is an HDF5 file, as Keras saves models; ${FROM_KERAS('keras', 'MODEL.h5')}`],
  ['PK\x03\x04', 0, `is a ZIP archive; of a .keras file, ${FROM_KERAS('keras_keras', 'MODEL.keras')}; unpack another`],
  ['TFL3', 4, 'is a TensorFlow Lite model; tf2onnx --tflite converts it'],
  ['\x1f\x8b', 0, 'is compressed by gzip; unpack it'],
  ['version https://git-lfs', 0, 'is a pointer of Git LFS in the place of the file; `git lfs pull` fetches it'],
  ['<!DOCTYPE', 0, 'is a web page, as a download that failed leaves it; fetch the file itself'],
  ['<html', 0, 'is a web page, as a download that failed leaves it; fetch the file itself'],
];

/** The same by the ending of a name, for forms without a beginning of their own. */
const ENDINGS: readonly (readonly [ending: string, description: string])[] = [
  ['.onnx', 'is an ONNX model already'],
  ['.pb', 'is a graph of TensorFlow, without Keras layers; tf2onnx converts it'],
];

/** What `bytes` from a file called `name` are, as the rest of a sentence; undefined where they may be what they should. */
export function foreignContent(bytes: Uint8Array, name: string): string | undefined {
  const start = String.fromCharCode(...bytes.subarray(0, 64));
  const begins = BEGINNINGS.find(([beginning, offset]) => start.startsWith(beginning, offset));
  if (begins) return begins[2];
  return ENDINGS.find(([ending]) => name.toLowerCase().endsWith(ending))?.[1];
}

/** Of a `model.json` that holds operators instead of layers. */
export const GRAPH_MODEL_ADVICE =
  'expected a layers model (Keras layers, format "layers-model"). Graph models are converted by tf2onnx: ' +
  'python -m tf2onnx.convert --tfjs model.json --output out.onnx. Layers models are saved by model.save in TensorFlow.js, ' +
  'and of a Keras file, tensorflowjs_converter --output_format=tfjs_layers_model makes one.';
