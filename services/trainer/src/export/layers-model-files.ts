import type { TrainedLayersModel } from '../network/layers-model.ts';

const WEIGHTS_FILE = 'weights.bin';

/** The files that `tf.loadLayersModel` reads, by path: `tfjs/model.json` and its one shard. */
export function layersModelFiles(model: TrainedLayersModel): Record<string, Uint8Array | string> {
  const { weightData, weightSpecs, modelTopology, generatedBy } = model;
  const weightsManifest = [{ paths: [WEIGHTS_FILE], weights: weightSpecs }];
  return {
    'tfjs/model.json': JSON.stringify({ format: 'layers-model', generatedBy, modelTopology, weightsManifest }),
    [`tfjs/${WEIGHTS_FILE}`]: weightData,
  };
}
