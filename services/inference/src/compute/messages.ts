import type { ErrorCode } from '@atelier/domain';
import type { ImageFacts, ImageOptions } from '../contract/image.ts';
import type { DecodedHead } from './bulk-messages.ts';
import type { Device } from '../predictor/predictor.ts';

/** An input or output as a runtime describes it; a string is a symbolic dimension. */
export interface TensorDescription {
  name: string;
  type: string;
  shape: readonly (number | string)[];
}

/** An output of a model that is wanted, float32 and with a row for each image: its name, and the numbers in a row. */
export interface OutputColumns {
  name: string;
  width: number;
}

/** What a loaded model takes and gives. */
export interface LoadedModel {
  inputs: TensorDescription[];
  outputs: TensorDescription[];
}

/** What the service asks of an engine thread. Each has an id, under which the answer comes. */
export type ToEngine =
  /**
   * The bytes are those of an ONNX file; `model` is the number under which later messages mean it. It is loaded on this
   * device or not at all, and gives these outputs when it is run.
   */
  | { id: number; kind: 'load'; model: number; device: Device; outputs: readonly OutputColumns[] }
  /**
   * The bytes are images [rows, 28, 28]; the answer's are float32 [rows, sum of the widths]: a row has the model's outputs one
   * behind the other, in the order in which they were asked for.
   */
  | { id: number; kind: 'run'; model: number; rows: number }
  | { id: number; kind: 'unload'; model: number }
  /** Releases every model and ends the thread. */
  | { id: number; kind: 'close' };

/** What the service asks of the decoder. */
export type ToDecoder =
  /**
   * The bytes are an image file, the answer's an image [28, 28]. The numbers: most pixels that the files of the request may
   * have together, and what those before this one had.
   */
  | { id: number; kind: 'decode'; maximumPixels: number; countedPixels: number; options: ImageOptions }
  /** Whether its thread goes round. */
  | { id: number; kind: 'ping' };

export type Answer =
  | { id: number; kind: 'done'; loaded?: LoadedModel; pixels?: number; facts?: ImageFacts; decoded?: DecodedHead[] }
  /** `code` where the failure is one that we foresee. */
  | { id: number; kind: 'failed'; code?: ErrorCode; message: string };
