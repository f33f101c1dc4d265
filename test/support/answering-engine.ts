import { PIXELS_PER_IMAGE } from '@atelier/domain';
import { type CancelStage, type ComputedBatch, MAXIMUM_ROWS, type Runnable } from '@atelier/inference';
import type { PublishedVersion } from '@atelier/model-repository';

/** Numbers in a row that the engines give. */
export const ROW_WIDTH = 20;

/** A batch that an engine was given, until the test answers it. */
export interface GivenBatch {
  engine: number;
  model: number;
  /** With the padding. */
  rows: number;
  /** Ids of the rows, 0 for padding. */
  ids: number[];
  /** Answers each row with its id. */
  answer(): void;
  fail(error: Error): void;
}

/** `rows` images whose first pixels say `id` and their place in the request, so that an answer can be held against them. */
export function markedImages(id: number, rows: number): Uint8Array {
  const images = new Uint8Array(rows * PIXELS_PER_IMAGE);
  const view = new DataView(images.buffer);
  for (let row = 0; row < rows; row++) {
    view.setUint32(row * PIXELS_PER_IMAGE, id);
    view.setUint16(row * PIXELS_PER_IMAGE + 4, row);
  }
  return images;
}

/** Outputs [rows, `ROW_WIDTH`] of marked images: id, place and model in front, and once more in the middle. */
export function markedOutputs(images: Uint8Array, rows: number, model: number): Float32Array {
  const view = new DataView(images.buffer, images.byteOffset, images.byteLength);
  const outputs = new Float32Array(rows * ROW_WIDTH);
  for (let row = 0; row < rows; row++) {
    const mark = [view.getUint32(row * PIXELS_PER_IMAGE), view.getUint16(row * PIXELS_PER_IMAGE + 4), model];
    outputs.set(mark, row * ROW_WIDTH);
    outputs.set(mark, (row + 0.5) * ROW_WIDTH);
  }
  return outputs;
}

export function runnableOf(model: number, maximumRows = MAXIMUM_ROWS): Runnable {
  const version = { name: `model-${model}`, version: 1 } as PublishedVersion;
  return { model, version, width: ROW_WIDTH, maximumRows };
}

/** Engines that answer when the test says so, and what batching said of it. */
export class AnsweringEngines {
  /** Given and not answered, the oldest first. */
  readonly given: GivenBatch[] = [];
  readonly computed: ComputedBatch[] = [];
  readonly cancellations: CancelStage[] = [];
  readonly observer = {
    computed: (batch: ComputedBatch) => void this.computed.push(batch),
    cancelled: (stage: CancelStage) => void this.cancellations.push(stage),
  };

  readonly execute = (engine: number, model: number, images: Uint8Array, rows: number): Promise<Float32Array> =>
    new Promise((resolve, reject) => {
      const settle = (task: () => void) => () => {
        this.given.splice(this.given.indexOf(batch), 1);
        task();
      };
      const ids = Array.from({ length: rows }, (_, row) =>
        new DataView(images.buffer, images.byteOffset).getUint32(row * PIXELS_PER_IMAGE),
      );
      const batch: GivenBatch = {
        ...{ engine, model, rows, ids },
        answer: settle(() => resolve(markedOutputs(images, rows, model))),
        fail: (error) => settle(() => reject(error))(),
      };
      this.given.push(batch);
    });
}
