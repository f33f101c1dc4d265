import {
  CLASS_COUNT,
  type HiddenLayer,
  IMAGE_HEIGHT,
  IMAGE_WIDTH,
  MAXIMUM_PIXEL,
  PIXELS_PER_IMAGE,
} from '@atelier/domain';
import { float, int, ints, node, type OnnxGraph, tensor, value } from '@atelier/onnx';
import { GraphBuilder, softCrossEntropy, type StateUpdate } from '@atelier/onnx-training';
import type { Convolution, NetworkRecipe } from '../../network/parameters.ts';

/** The first operator set with Gelu. */
const OPSET = 20;
/** Of ONNX 1.15, which brought this operator set (github.com/onnx/onnx/blob/main/docs/Versioning.md): no runtime needs more. */
const IR_VERSION = 9;
export const OPSETS = { opsetImports: [{ domain: '', version: OPSET }], irVersion: IR_VERSION } as const;

/** The names of a batch's values in the graphs. */
export const IMAGES = 'images';
export const TARGETS = 'targets';
export const LOGITS = 'logits';
export const LOSS = 'loss';

/** All running statistics of a network in one vector, because each operator costs more than the work on one of them. */
const STATISTICS = 'statistics';

/** A recipe's network with its loss, for one batch in training. */
export interface TrainingNetwork {
  /**
   * Inputs: `images` uint8 [batch, 784], `targets` float32 [batch, 10], a mask uint8 [batch, units] of 0 and 1 for each
   * layer that drops, the weights by their names in an `EngineState`, and the running statistics as one vector.
   */
  forward: OnnxGraph;
  /** Weights that the optimiser moves, in the order of the layers. */
  parameters: string[];
  /** The running statistics, if the network has any. */
  updates: StateUpdate[];
  /** The layers that drop: the input of each one's mask. */
  dropouts: Dropout[];
}

export interface Dropout {
  mask: string;
  units: number;
  rate: number;
}

export function trainingNetwork(recipe: NetworkRecipe, batchSize: number): TrainingNetwork {
  const graph = new GraphBuilder();
  const images = graph.input(IMAGES, 'uint8', [batchSize, PIXELS_PER_IMAGE]);
  const targets = graph.input(TARGETS, 'float32', [batchSize, CLASS_COUNT]);
  const parameters: string[] = [];
  const dropouts: Dropout[] = [];
  const statistics: { name: string; batch: string }[] = [];
  const logits = network(graph, recipe, images, {
    weight: (name, shape) => {
      parameters.push(graph.input(name, 'float32', shape));
      return name;
    },
    normalize: (input, name, gamma, beta) => {
      const batch = [`${name}/mean`, `${name}/variance`] as const;
      // With momentum 0 the running statistics that the operator gives are the batch's, whatever they were before.
      const before = graph.vector(new Array<number>(graph.shapeOf(gamma)[0] ?? 0).fill(0), input);
      graph.addNode(
        node('BatchNormalization', [input, gamma, beta, before, before], [name, ...batch], {
          epsilon: float(recipe.batchNormalization.epsilon),
          momentum: float(0),
          training_mode: int(1),
        }),
      );
      statistics.push({ name: `${name}/moving_mean`, batch: batch[0] });
      statistics.push({ name: `${name}/moving_variance`, batch: batch[1] });
      return name;
    },
    drop: (input, name, rate) => {
      const units = graph.shapeOf(input)[1] ?? 0;
      const mask = graph.input(`${name}/mask`, 'uint8', [batchSize, units]);
      dropouts.push({ mask, units, rate });
      const scale = graph.scalar(1 / (1 - rate), input); // scaled here, so that inference needs no change
      return graph.times(input, graph.add('DequantizeLinear', [mask, scale]));
    },
  });
  graph.rename(softCrossEntropy(graph, logits, targets), LOSS);
  const updates =
    statistics.length === 0 ? [] : [moveStatistics(graph, statistics, recipe.batchNormalization.momentum)];
  return {
    forward: graph.graph('training', [LOSS, ...updates.map(({ updated }) => updated)]),
    parameters,
    updates,
    dropouts,
  };
}

/** running·momentum + batch·(1 − momentum), for all layers at once. */
function moveStatistics(
  graph: GraphBuilder,
  statistics: readonly { name: string; batch: string }[],
  momentum: number,
): StateUpdate {
  const parts = statistics.map(({ name, batch }) => ({ name, shape: graph.shapeOf(batch) }));
  const size = parts.reduce((sum, { shape }) => sum + (shape[0] ?? 0), 0);
  const running = graph.input(STATISTICS, 'float32', [size]);
  const batch = graph.add(
    'Concat',
    statistics.map((each) => each.batch),
    { axis: int(0) },
  );
  const updated = graph.plus(graph.times(running, momentum), graph.times(batch, 1 - momentum));
  return { name: running, updated, parts };
}

/**
 * The same network as it predicts: without dropout, by running statistics. `images` uint8 [batch, 784] and every weight
 * by its name in, `logits` float32 [batch, 10] out; the batch is open.
 */
export function inferenceNetwork(recipe: NetworkRecipe): OnnxGraph {
  const graph = new GraphBuilder();
  const images = graph.input(IMAGES, 'uint8', [1, PIXELS_PER_IMAGE]);
  const logits = network(graph, recipe, images, {
    weight: (name, shape) => graph.input(name, 'float32', shape),
    normalize: (input, name, gamma, beta) => {
      const units = graph.shapeOf(gamma);
      const running = ['moving_mean', 'moving_variance'].map((part) =>
        graph.input(`${name}/${part}`, 'float32', units),
      );
      const epsilon = float(recipe.batchNormalization.epsilon);
      return graph.add('BatchNormalization', [input, gamma, beta, ...running], { epsilon });
    },
    drop: (input) => input,
  });
  graph.rename(logits, LOGITS);
  const { inputs, ...rest } = graph.graph('inference', [LOGITS]);
  return {
    ...rest,
    inputs: inputs.map((input) => (input.name === IMAGES ? { ...input, shape: ['batch', PIXELS_PER_IMAGE] } : input)),
    outputs: [value(LOGITS, 'float32', ['batch', CLASS_COUNT])],
  };
}

/** What differs between training and inference. */
interface NetworkParts {
  weight: (name: string, shape: readonly number[]) => string;
  normalize: (input: string, name: string, gamma: string, beta: string) => string;
  drop: (input: string, name: string, rate: number) => string;
}

/** From pixels to logits. */
function network(graph: GraphBuilder, recipe: NetworkRecipe, images: string, parts: NetworkParts): string {
  const dense = (input: string, name: string, units: number): string => {
    const inputs = graph.shapeOf(input)[1] ?? 0;
    const kernel = parts.weight(`${name}/kernel`, [inputs, units]);
    return graph.add('Gemm', [input, kernel, parts.weight(`${name}/bias`, [units])]);
  };
  const normalize = (input: string, name: string): string => {
    const units = graph.shapeOf(input).slice(1, 2);
    return parts.normalize(input, name, parts.weight(`${name}/gamma`, units), parts.weight(`${name}/beta`, units));
  };
  const convolution = (input: string, { channels, kernel, stride }: Convolution, number: number): string => {
    const name = `convolution_${number}`;
    const inputs = graph.shapeOf(input)[1] ?? 0;
    const padding = (kernel - 1) / 2;
    const convolved = graph.add('Conv', [input, parts.weight(`${name}/kernel`, [channels, inputs, kernel, kernel])], {
      kernel_shape: ints([kernel, kernel]),
      pads: ints(new Array<number>(4).fill(padding)),
      strides: ints([stride, stride]),
    });
    return graph.add('Relu', [normalize(convolved, name)]);
  };
  const convolutions = (input: string, layers: readonly Convolution[]): string => {
    if (layers.length === 0) return input;
    const pictures = graph.add('Reshape', [input, graph.ints([-1, 1, IMAGE_HEIGHT, IMAGE_WIDTH])]);
    const last = layers.reduce((values, layer, index) => convolution(values, layer, index + 1), pictures);
    return graph.add('Flatten', [last], { axis: int(1) });
  };
  const hidden = (input: string, layer: HiddenLayer, number: number): string => {
    const product = dense(input, `hidden_${number}`, layer.units);
    const activated = {
      none: () => activate(graph, product, layer.activation),
      'before-activation': () => activate(graph, normalize(product, `normalization_${number}`), layer.activation),
      'after-activation': () => normalize(activate(graph, product, layer.activation), `normalization_${number}`),
    }[layer.batchNormalization]();
    return layer.dropout > 0 ? parts.drop(activated, `dropout_${number}`, layer.dropout) : activated;
  };
  const [minimum, maximum] = recipe.inputRange;
  const scale = graph.initializer(tensor('pixel_scale', 'float32', [], [(maximum - minimum) / MAXIMUM_PIXEL]));
  const scaled = graph.add('DequantizeLinear', [images, scale]);
  const input = minimum === 0 ? scaled : graph.plus(scaled, minimum);
  const features = convolutions(input, recipe.convolutions ?? []);
  const last = recipe.hiddenLayers.reduce((values, layer, index) => hidden(values, layer, index + 1), features);
  return dense(last, 'logits', CLASS_COUNT);
}

const ACTIVATIONS: Record<HiddenLayer['activation'], string | null> = {
  linear: null,
  relu: 'Relu',
  gelu: 'Gelu',
  elu: 'Elu',
  selu: 'Selu',
  tanh: 'Tanh',
  sigmoid: 'Sigmoid',
};

function activate(graph: GraphBuilder, input: string, name: HiddenLayer['activation']): string {
  const operator = ACTIVATIONS[name];
  return operator === null ? input : graph.add(operator, [input]);
}
