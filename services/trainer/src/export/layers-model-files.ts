import type { TrainedLayersModel } from '../network/layers-model.ts';

const TOPOLOGY_PATH = 'tfjs/model.json';
const WEIGHTS_FILE = 'weights.bin';
const WEIGHTS_PATH = `tfjs/${WEIGHTS_FILE}`;

/** Where the files of a saved LayersModel lie in the folder of a run or a version. */
export const LAYERS_MODEL_PATHS = [TOPOLOGY_PATH, WEIGHTS_PATH] as const;

/** The files that `tf.loadLayersModel` reads, by path: the topology and its one shard. */
export function layersModelFiles(model: TrainedLayersModel): Record<string, Uint8Array | string> {
  const { weightData, weightSpecs, modelTopology, generatedBy } = model;
  const weightsManifest = [{ paths: [WEIGHTS_FILE], weights: weightSpecs }];
  return {
    [TOPOLOGY_PATH]: JSON.stringify({ format: 'layers-model', generatedBy, modelTopology, weightsManifest }),
    [WEIGHTS_PATH]: weightData,
  };
}
