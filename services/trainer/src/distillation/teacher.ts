import { CLASS_COUNT, type Distillation, DomainError } from '@atelier/domain';
import type { TrainingExamples } from '@atelier/fashion-mnist';
import { OnnxModel } from '../export/onnx-model.ts';

/** A trained model that gives targets to another one's training. */
export class Teacher {
  readonly #graph: OnnxModel;
  readonly #settings: Distillation;

  private constructor(graph: OnnxModel, settings: Distillation) {
    this.#graph = graph;
    this.#settings = settings;
  }

  /** `contract-mismatch` when `bytes` are no ONNX graph of the form of a published model. */
  static async open(bytes: Uint8Array, settings: Distillation): Promise<Teacher> {
    try {
      return new Teacher(await OnnxModel.open(bytes), settings);
    } catch (cause) {
      const message = `The teacher "${settings.teacher}" is no graph that onnxruntime can load.`;
      throw new DomainError('contract-mismatch', message, { cause });
    }
  }

  /**
   * The examples with `share` of each target from the teacher's answer to its image: softmax(logits/temperature)
   * (arXiv 1503.02531, equation 1). The input is not changed; images are shared.
   */
  async teach(examples: TrainingExamples): Promise<TrainingExamples> {
    const { share, temperature } = this.#settings;
    const { logits } = await this.#graph.outputs(examples.images, { logits: CLASS_COUNT });
    const targets = examples.targets.slice();
    for (let start = 0; start < targets.length; start += CLASS_COUNT) {
      const answers = softmax(logits.subarray(start, start + CLASS_COUNT), temperature);
      answers.forEach((answer, index) => {
        targets[start + index] = (1 - share) * (targets[start + index] ?? 0) + share * answer;
      });
    }
    return { ...examples, targets };
  }

  async release(): Promise<void> {
    await this.#graph.release();
  }
}

function softmax(logits: Float32Array, temperature: number): Float64Array {
  const largest = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  const exponentials = Float64Array.from(logits, (logit) => Math.exp((logit - largest) / temperature));
  const sum = exponentials.reduce((a, b) => a + b, 0);
  return exponentials.map((exponential) => exponential / sum);
}
