import { PUBLISHED_GRAPH, type PublishedOutput, publishedOutputs } from '@atelier/domain';
import type { Models } from '../../models/models.ts';
import type { Predictor } from '../../predictor/predictor.ts';
import { IMAGE_DATATYPES } from '../image-input.ts';

/** The protocol's words for what the graph takes and gives. */
const DATATYPES = { uint8: 'UINT8', float32: 'FP32' } as const;

type Description = (typeof PUBLISHED_GRAPH)['inputs'][number] | PublishedOutput;

/** `GET /v2/models/{model}` (section "Model Metadata Response JSON Object"; `properties` are of its OpenAPI document). */
export function modelMetadata(models: Models, predictor: Predictor): object {
  const { version, device } = predictor;
  const ours = models.statuses().filter((status) => status.version.name === version.name);
  const labels = ours.find((status) => status.version.version === version.version)?.labels ?? [];
  return {
    name: version.name,
    versions: ours.filter(({ state }) => state === 'READY').map((status) => String(status.version.version)),
    platform: 'onnx_onnxv1',
    inputs: PUBLISHED_GRAPH.inputs.map(tensorMetadata),
    outputs: publishedOutputs(version.manifest).map(tensorMetadata),
    properties: {
      version: String(version.version),
      digest: version.manifest.digest,
      labels: labels.join(','),
      classes: version.manifest.classes.join(','),
      input_datatypes: IMAGE_DATATYPES.join(','),
      device: device.actual,
      device_requested: device.requested,
      ...(device.reason !== null && { device_reason: device.reason }),
    },
  };
}

/** `GET /v2/models/{model}/config`, the fields of Triton's ModelConfig that say something here. */
export function modelConfig({ version, device }: Predictor, maximumImages: number): object {
  return {
    name: version.name,
    platform: 'onnxruntime_onnx',
    backend: 'onnxruntime',
    default_model_filename: 'model.onnx',
    max_batch_size: maximumImages,
    input: PUBLISHED_GRAPH.inputs.map(tensorConfig),
    output: publishedOutputs(version.manifest).map(tensorConfig),
    instance_group: [{ name: version.name, kind: device.actual === 'cpu' ? 'KIND_CPU' : 'KIND_GPU', count: 1 }],
  };
}

/** -1 is a size that the request chooses. */
function tensorMetadata({ name, type, shape }: Description): object {
  return { name, datatype: DATATYPES[type], shape: shape.map((size) => (typeof size === 'number' ? size : -1)) };
}

/** Without the dimension of the batch, which `max_batch_size` stands for. */
function tensorConfig({ name, type, shape }: Description): object {
  return { name, data_type: `TYPE_${DATATYPES[type]}`, dims: shape.slice(1) };
}
