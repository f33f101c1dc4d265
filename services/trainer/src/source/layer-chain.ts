import { DomainError, PIXELS_PER_IMAGE } from '@atelier/domain';
import type { convert } from '@atelier/onnx-to-tfjs';
import type { TensorData } from '../network/initial-weights.ts';
import type { NetworkStep } from './network-steps.ts';

type SavedModel = ReturnType<typeof convert>['artifacts'];

/** A step of the model that a training begins with, and its weights by their parts: `kernel`, `gamma`. */
export type SourceStep = NetworkStep & { weights: Readonly<Record<string, TensorData>> };

/** What the converter writes of a layer. */
interface SavedLayer {
  class_name: string;
  config: Record<string, unknown> & { name: string };
  inbound_nodes?: [string, number, number, object][][];
}

/** What comes after the logits and training does without: its loss is on the logits. */
const PROBABILITIES = ['softmax', 'log_softmax'];

/**
 * The steps of a converted model, in their order: images of 784 pixels in, one layer after the other. A network that is no such
 * chain is `source-mismatch`.
 */
export function layerChain({ modelTopology, weightSpecs, weightData }: SavedModel, file: string): SourceStep[] {
  const { layers } = (modelTopology as { config: { layers: SavedLayer[] } }).config;
  const weights = weightsByLayer(weightSpecs, weightData);
  const steps = layers.flatMap((layer, index): SourceStep[] => {
    const { name } = layer.config;
    const sources = layer.inbound_nodes?.map((call) => call.map(([source]) => source).join(', '));
    const before = layers[index - 1]?.config.name;
    if (index > 0 && sources && (sources.length !== 1 || sources[0] !== before)) {
      throw mismatch(
        file,
        name,
        `a layer that takes "${before}" alone`,
        `one that takes ${sources.join('; ') || 'nothing'}`,
      );
    }
    return stepsOf(layer, weights.get(name) ?? {}, file);
  });
  const last = steps.at(-1);
  return last?.kind === 'activation' && PROBABILITIES.includes(last.activation) ? steps.slice(0, -1) : steps;
}

function stepsOf(
  { class_name: className, config }: SavedLayer,
  weights: SourceStep['weights'],
  file: string,
): SourceStep[] {
  const layer = config.name;
  const activated = (): SourceStep[] => {
    const activation = String(config['activation']);
    return activation === 'linear' ? [] : [{ kind: 'activation', layer, activation, weights: {} }];
  };
  switch (className) {
    case 'InputLayer':
      requireImage(config['batch_input_shape'], layer, file);
      return [];
    case 'Flatten':
    case 'Reshape':
      return []; // the order of the pixels stays
    case 'Rescaling':
      return [{ kind: 'scaling', layer, scale: Number(config['scale']), offset: Number(config['offset']), weights }];
    case 'Dense': {
      const [inputs = 0, units = 0] = weights['kernel']?.shape ?? [];
      return [{ kind: 'dense', layer, inputs, units, weights }, ...activated()];
    }
    case 'BatchNormalization': {
      const units = weights['gamma']?.shape[0] ?? 0;
      return [{ kind: 'batch-normalization', layer, units, epsilon: Number(config['epsilon']), weights }];
    }
    case 'Activation':
      return activated();
    default:
      throw mismatch(file, layer, 'Dense, BatchNormalization or an activation', `a ${className}`);
  }
}

function requireImage(shape: unknown, layer: string, file: string): void {
  const sizes = (shape as (number | null)[]).slice(1);
  const pixels = sizes.reduce<number>((product, size) => product * (size ?? NaN), 1);
  if (pixels === PIXELS_PER_IMAGE) return;
  throw mismatch(
    file,
    layer,
    `an input of ${PIXELS_PER_IMAGE} pixels`,
    `[${sizes.map((size) => size ?? '?').join(', ')}]`,
  );
}

/** The converter writes float32, one weight after the other. */
function weightsByLayer(specs: SavedModel['weightSpecs'], data: Uint8Array) {
  const layers = new Map<string, Record<string, TensorData>>();
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  let offset = 0;
  for (const { name, shape } of specs) {
    const count = shape.reduce((product, size) => product * size, 1);
    const start = offset;
    const values = Float32Array.from({ length: count }, (_, index) => view.getFloat32(start + 4 * index, true));
    offset += 4 * count;
    const slash = name.lastIndexOf('/');
    const layer = name.slice(0, slash);
    layers.set(layer, { ...layers.get(layer), [name.slice(slash + 1)]: { shape: [...shape], data: values } });
  }
  return layers;
}

/** The model at hand is not the recipe's network. */
export function mismatch(file: string, layer: string, expected: string, found: string, hint = ''): DomainError {
  return new DomainError(
    'source-mismatch',
    `Layer "${layer}" of ${file}: expected ${expected}, found ${found}.${hint}`,
  );
}
