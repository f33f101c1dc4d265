import { mkdir, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ModelName } from './variant-names.ts';

/** As converters cut weights (https://github.com/tensorflow/tfjs/tree/master/tfjs-converter). */
const SHARD_BYTES = 4 * 2 ** 20;

/** Seven kernels of this side and their biases: 101 MB of float32. */
const SIDE = 1900;
const QUICK_SIDE = 400;
const LAYERS = 7;

/** Writes a LayersModel into `folder`, in pieces that take no memory of note; gives the bytes of its weight files. */
export async function writeLargeModel(folder: string, name: ModelName, isQuick: boolean): Promise<number> {
  const side = isQuick ? QUICK_SIDE : SIDE;
  const quantization = { dtype: 'uint8', scale: 0.001, min: -0.128 };
  const quantised = name === 'uint8' && { quantization };
  const weights = Array.from({ length: LAYERS }, (_, index) => [
    { name: `dense_${index}/kernel`, shape: [side, side], dtype: 'float32', ...quantised },
    { name: `dense_${index}/bias`, shape: [side], dtype: 'float32', ...quantised },
  ]).flat();
  const odd = { name: 'odd', shape: [1], dtype: 'bool', group: 'optimizer' };
  const stored = name === 'other-alignment' ? [odd, ...weights] : weights;
  const bytes = LAYERS * (side * side + side) * (name === 'uint8' ? 1 : 4) + (name === 'other-alignment' ? 1 : 0);
  const shardBytes = name === 'shards' ? SHARD_BYTES : bytes;
  const paths = Array.from({ length: Math.ceil(bytes / shardBytes) }, (_, index) => `group1-shard${index + 1}.bin`);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'model.json'), JSON.stringify(modelJson(side, [{ paths, weights: stored }])));
  for (const [index, path] of paths.entries()) {
    await writeNoise(join(folder, path), Math.min(shardBytes, bytes - index * shardBytes));
  }
  return bytes;
}

function modelJson(side: number, weightsManifest: unknown): object {
  const layers = Array.from({ length: LAYERS }, (_, index) => ({
    class_name: 'Dense',
    config: { name: `dense_${index}`, units: side, activation: 'relu', use_bias: true },
  }));
  const input = { class_name: 'InputLayer', config: { name: 'x', batch_input_shape: [null, side], dtype: 'float32' } };
  const modelTopology = { class_name: 'Sequential', config: { name: 'large', layers: [input, ...layers] } };
  return { format: 'layers-model', generatedBy: 'TensorFlow.js tfjs-layers v4.22.0', modelTopology, weightsManifest };
}

/** The same in every MiB; made once, because what is thrown away would count as memory that the process had before. */
const NOISE = new Uint8Array(2 ** 20);
for (let index = 0; index < NOISE.length; index++) NOISE[index] = (index * 2_654_435_761) >>> 24;

async function writeNoise(path: string, bytes: number): Promise<void> {
  const file = await open(path, 'w');
  try {
    for (let written = 0; written < bytes; written += NOISE.length) {
      await file.write(NOISE.subarray(0, Math.min(NOISE.length, bytes - written)));
    }
  } finally {
    await file.close();
  }
}
