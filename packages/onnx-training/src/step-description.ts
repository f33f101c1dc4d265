import type { OnnxModel } from '@atelier/onnx';
import { messageOf } from '@atelier/domain';
import { malformedGraph } from './errors.ts';

/** What a file's training information cannot say of its step; JSON in the model's metadata. */
export interface StepDescription {
  /** The input that is the learning rate, and the output that is the loss. */
  readonly learningRate: string;
  readonly loss: string;
  /** Shapes of the batch that the step is made for; the inference graph may leave them open. */
  readonly batch: Readonly<Record<string, readonly number[]>>;
}

const KEY = 'training_step';

export function descriptionEntry(description: StepDescription): Record<string, string> {
  return { [KEY]: JSON.stringify(description) };
}

/** Nothing in a model of another tool; `malformed-onnx` when what is there is something else. */
export function descriptionIn({ metadata }: OnnxModel): Partial<StepDescription> {
  const text = metadata[KEY];
  if (text === undefined) return {};
  try {
    const description: unknown = JSON.parse(text);
    if (isDescription(description)) return description;
  } catch (cause) {
    throw malformedGraph(`The model's metadata has a "${KEY}" that is no JSON: ${messageOf(cause)}.`);
  }
  throw malformedGraph(`The model's metadata has a "${KEY}" of another form; expected learningRate, loss and batch.`);
}

function isDescription(content: unknown): content is StepDescription {
  if (typeof content !== 'object' || content === null) return false;
  const { learningRate, loss, batch } = content as Record<string, unknown>;
  if (typeof learningRate !== 'string' || typeof loss !== 'string') return false;
  if (typeof batch !== 'object' || batch === null) return false;
  return Object.values(batch).every((shape) => Array.isArray(shape) && shape.every((size) => Number.isInteger(size)));
}
