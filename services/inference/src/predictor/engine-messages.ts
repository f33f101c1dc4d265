import type { Outputs } from './predictor.ts';

/** What the worker is started with. */
export interface EngineTask {
  /** The bytes of `model.onnx`. */
  model: Uint8Array;
  /** Height and width. */
  imageShape: readonly [number, number];
  classCount: number;
}

export type ToEngine = { kind: 'predict'; id: number; images: Uint8Array } | { kind: 'close' };

/** First `ready` or `refused`, then one `predicted` or `failed` per `predict`. */
export type FromEngine =
  | { kind: 'ready'; inputs: TensorDescription[]; outputs: TensorDescription[] }
  | { kind: 'refused'; message: string }
  | { kind: 'predicted'; id: number; outputs: Outputs }
  | { kind: 'failed'; id: number; message: string };

/** An input or output as a runtime describes it; a string is a symbolic dimension. */
export interface TensorDescription {
  name: string;
  type: string;
  shape: readonly (number | string)[];
}
