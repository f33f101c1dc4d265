import type { LayersModelArtifacts } from '@atelier/tfjs-to-onnx';

const WEIGHTS_FILE = 'weights.bin';

/** The files that `tf.loadLayersModel` reads, by path: `tfjs/model.json` and its one shard. */
export function layersModelFiles(artifacts: LayersModelArtifacts): Record<string, Uint8Array | string> {
  const { weightData, weightSpecs, modelTopology, format, generatedBy, convertedBy } = artifacts;
  const weightsManifest = [{ paths: [WEIGHTS_FILE], weights: weightSpecs }];
  return {
    'tfjs/model.json': JSON.stringify({ format, generatedBy, convertedBy, modelTopology, weightsManifest }),
    [`tfjs/${WEIGHTS_FILE}`]: weightData,
  };
}
