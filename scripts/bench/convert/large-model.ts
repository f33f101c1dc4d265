import { mkdir, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ModelName } from './variant-names.ts';

/** As converters cut weights (https://github.com/tensorflow/tfjs/tree/master/tfjs-converter). */
const SHARD_BYTES = 4 * 2 ** 20;

interface Layer {
  class_name: string;
  config: Record<string, unknown>;
  kernel: readonly number[];
}

/** A layer's kernels are square in the sizes that `units` stands for. */
interface Network {
  input: readonly number[];
  layers: readonly Layer[];
  units: number;
}

/** Seven kernels of 1900 x 1900: 101 MB of float32. */
function dense(isQuick: boolean): Network {
  const units = isQuick ? 400 : 1900;
  const layer = (name: string) => ({ class_name: 'Dense', config: { name, units }, kernel: [units, units] });
  return { units, input: [units], layers: names(7).map(layer) };
}

/** Eleven kernels of 3 x 3 x 512 x 512: 104 MB of float32. */
function convolutions(isQuick: boolean): Network {
  const units = isQuick ? 64 : 512;
  const settings = { filters: units, kernel_size: [3, 3], strides: [1, 1], padding: 'same' };
  const layer = (name: string) => ({
    class_name: 'Conv2D',
    config: { name, ...settings, data_format: 'channels_last' },
    kernel: [3, 3, units, units],
  });
  return { units, input: [32, 32, units], layers: names(11).map(layer) };
}

function names(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `layer_${index}`);
}

/** Writes a LayersModel into `folder`, in pieces that take no memory of note; gives the bytes of its weights as float32. */
export async function writeLargeModel(folder: string, name: ModelName, isQuick: boolean): Promise<number> {
  const network = (name === 'convolutions' ? convolutions : dense)(isQuick);
  const quantised = name === 'uint8' && { quantization: { dtype: 'uint8', scale: 0.001, min: -0.128 } };
  const weights = network.layers.flatMap(({ config, kernel }) => [
    { name: `${String(config['name'])}/kernel`, shape: kernel, dtype: 'float32', ...quantised },
    { name: `${String(config['name'])}/bias`, shape: [network.units], dtype: 'float32', ...quantised },
  ]);
  const odd = { name: 'odd', shape: [1], dtype: 'bool', group: 'optimizer' };
  const elements = weights.reduce((total, { shape }) => total + shape.reduce((product, size) => product * size, 1), 0);
  const bytes = elements * (name === 'uint8' ? 1 : 4) + (name === 'other-alignment' ? 1 : 0);
  const shardBytes = name === 'shards' ? SHARD_BYTES : bytes;
  const paths = Array.from({ length: Math.ceil(bytes / shardBytes) }, (_, index) => `group1-shard${index + 1}.bin`);
  const manifest = [{ paths, weights: name === 'other-alignment' ? [odd, ...weights] : weights }];
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'model.json'), JSON.stringify(modelJson(network, manifest)));
  for (const [index, path] of paths.entries()) {
    await writeNoise(join(folder, path), Math.min(shardBytes, bytes - index * shardBytes));
  }
  return 4 * elements;
}

function modelJson({ input, layers }: Network, weightsManifest: unknown): object {
  const described = layers.map(({ class_name, config }) => ({
    class_name,
    config: { ...config, activation: 'relu', use_bias: true },
  }));
  const config = { name: 'x', batch_input_shape: [null, ...input], dtype: 'float32' };
  const inSequence = [{ class_name: 'InputLayer', config }, ...described];
  const modelTopology = { class_name: 'Sequential', config: { name: 'large', layers: inSequence } };
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
