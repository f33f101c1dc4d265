import type { Recipe } from '@atelier/domain';
import type { TrainingExamples } from '@atelier/fashion-mnist';

export type { TrainingExamples };

/** Images without labels, [count, 28, 28], 0 to 255. */
export type UnlabelledImages = Pick<TrainingExamples, 'count' | 'images'>;

/** Trains one network. Implemented on tfjs and on an ONNX training graph; one contract suite runs against both. */
export interface TrainingEngine {
  /** What computes, for people and the manifest: "wasm", "cuda (tfjs-node-gpu)". */
  readonly device: string;
  /** Among how many threads an operator's work is divided, where this decides the bits; null where it does not. */
  readonly threads: number | null;
  /** Steps to ask for at once: fewer cost speed, many more delay progress and Ctrl-C. At least 1. */
  readonly preferredSteps: number;
  /**
   * One optimiser step per learning rate, over consecutive batches of `examples`, the last of which may be short;
   * resolves to each step's mean cross-entropy with the targets, in nats. Label smoothing and mixup are in the targets
   * already; mirroring and the like in the images. A chunk of steps rather than a step, because one call into a runtime
   * costs more than a step of this network. Examples and rates that do not fit each other are a `RangeError`.
   */
  train(examples: TrainingExamples, learningRates: Float32Array): Promise<Float32Array>;
  /** Logits [count, 10] in inference mode: no dropout, running statistics, averages where the recipe averages weights. */
  logits(examples: UnlabelledImages): Promise<Float32Array>;
  /** Weights, optimiser moments and random state: enough to go on to the same bits. */
  snapshot(): Promise<EngineState>;
  /** Refuses a state of another network or optimiser with a `RangeError` that names the tensor, and changes nothing. */
  restore(state: EngineState): Promise<void>;
  dispose(): Promise<void>;
}

export interface EngineState {
  /** Optimiser steps taken; the masks of dropout and the decay of averages are derived from it. */
  steps: number;
  /**
   * Parameters and running statistics by `<layer>/<weight>`, optimiser state by `optimizer/<slot>`; where the recipe
   * averages weights, the averages of the parameters by `average/<layer>/<weight>`.
   */
  tensors: Record<string, { shape: number[]; data: Float32Array }>;
}

export interface EngineSettings {
  /** For an engine with threads; default: one for each core that this process may use. More than there are cores work too. */
  threads?: number;
}

/** Builds an engine with the recipe's initial weights. */
export type EngineFactory = (recipe: Recipe, settings?: EngineSettings) => Promise<TrainingEngine>;
