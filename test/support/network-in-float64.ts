import { CLASS_COUNT, MAXIMUM_PIXEL, PIXELS_PER_IMAGE, type Recipe } from '@atelier/domain';
import type { EngineState, TrainingExamples } from '@atelier/trainer';

/** Rows of numbers, [batch][units]. */
export type Rows = number[][];

/** What a pass in training mode has that one in inference mode has not. */
export interface Training {
  /** 1 for each unit that the only hidden layer with dropout keeps, 0 for the others; without it nothing is dropped. */
  kept?: Rows;
}

export interface Pass {
  logits: Rows;
  /** The mean and the variance over the batch of what each batch normalisation takes in, by the layer's name. */
  statistics: Record<string, { mean: number[]; variance: number[] }>;
}

/**
 * A recipe's network with the weights of an engine's state, in float64 and by nothing but its definition. Batch
 * normalisation goes by the batch in training mode and by the running statistics otherwise. Knows relu and linear layers.
 */
export function passInFloat64(
  recipe: Recipe,
  { tensors }: EngineState,
  { count, images }: Pick<TrainingExamples, 'count' | 'images'>,
  training?: Training,
): Pass {
  const weight = (name: string) => {
    const tensor = tensors[name];
    if (tensor === undefined) throw new RangeError(`The state has no "${name}".`);
    return [...tensor.data];
  };
  const dense = (rows: Rows, layer: string): Rows => {
    const [kernel, bias] = [weight(`${layer}/kernel`), weight(`${layer}/bias`)];
    return rows.map((row) =>
      bias.map((start, unit) => row.reduce((sum, x, index) => sum + x * at(kernel, index * bias.length + unit), start)),
    );
  };
  const statistics: Pass['statistics'] = {};
  const normalize = (rows: Rows, layer: string): Rows => {
    const [gamma, beta] = [weight(`${layer}/gamma`), weight(`${layer}/beta`)];
    const batch = (statistics[layer] = statisticsOf(rows));
    const running = { mean: weight(`${layer}/moving_mean`), variance: weight(`${layer}/moving_variance`) };
    const { mean, variance } = training === undefined ? running : batch;
    const { epsilon } = recipe.batchNormalization;
    return rows.map((row) =>
      row.map((x, u) => (at(gamma, u) * (x - at(mean, u))) / Math.sqrt(at(variance, u) + epsilon) + at(beta, u)),
    );
  };

  const [minimum, maximum] = recipe.inputRange;
  let rows: Rows = Array.from({ length: count }, (_, row) =>
    Array.from(
      images.subarray(row * PIXELS_PER_IMAGE, (row + 1) * PIXELS_PER_IMAGE),
      (pixel) => minimum + (pixel * (maximum - minimum)) / MAXIMUM_PIXEL,
    ),
  );
  recipe.hiddenLayers.forEach(({ activation, batchNormalization, dropout }, index) => {
    rows = dense(rows, `hidden_${index + 1}`);
    if (batchNormalization === 'before-activation') rows = normalize(rows, `normalization_${index + 1}`);
    if (activation === 'relu') rows = rows.map((row) => row.map((x) => Math.max(x, 0)));
    else if (activation !== 'linear') throw new RangeError(`Activation ${activation}; expected relu or linear.`);
    if (batchNormalization === 'after-activation') rows = normalize(rows, `normalization_${index + 1}`);
    const kept = dropout > 0 ? training?.kept : undefined;
    if (kept !== undefined)
      rows = rows.map((row, r) => row.map((x, unit) => (x * at(at(kept, r), unit)) / (1 - dropout)));
  });
  return { logits: dense(rows, 'logits'), statistics };
}

/** The mean over the rows, in nats, of −Σ target·log softmax(logits), and its gradient by the logits. */
export function crossEntropy(logits: Rows, targets: Float32Array): { loss: number; gradient: Rows } {
  let loss = 0;
  const gradient = logits.map((row, index) => {
    const exponentials = row.map(Math.exp);
    const sum = exponentials.reduce((total, value) => total + value, 0);
    return exponentials.map((value, column) => {
      const target = targets[index * CLASS_COUNT + column] ?? NaN;
      loss -= (target * Math.log(value / sum)) / logits.length;
      return (value / sum - target) / logits.length;
    });
  });
  return { loss, gradient };
}

/** Over the rows, unit by unit; the variance is that of the batch itself, divided by its size. */
function statisticsOf(rows: Rows): { mean: number[]; variance: number[] } {
  const mean = columnSums(rows).map((sum) => sum / rows.length);
  const squares = rows.map((row) => row.map((x, unit) => (x - at(mean, unit)) ** 2));
  return { mean, variance: columnSums(squares).map((sum) => sum / rows.length) };
}

export function columnSums(rows: Rows): number[] {
  return at(rows, 0).map((_, unit) => rows.reduce((sum, row) => sum + at(row, unit), 0));
}

function at<T>(values: readonly T[], index: number): T {
  const value = values[index];
  if (value === undefined) throw new RangeError(`Index ${index} of ${values.length} values.`);
  return value;
}
