import { CLASS_COUNT, IMAGE_HEIGHT, IMAGE_WIDTH, OUTLIER_SCORE, PIXELS_PER_IMAGE } from '@atelier/domain';
import type * as onnxruntime from 'onnxruntime-node';
import { loadRuntime } from '../engines/onnx/session.ts';

/** Rows a run takes at once; a convolutional teacher needs about 100 kB of memory for each. */
const ROWS_PER_RUN = 250;

export interface Predictions {
  /** [count, 10] */
  logits: Float32Array;
  /** [count, 10] */
  probabilities: Float32Array;
  /** [count], where the graph gives them. */
  outlierScores?: Float32Array;
}

/** A published graph on onnxruntime's CPU provider, for measuring and proving; serving has its own predictor. */
export class OnnxModel {
  readonly #runtime: typeof onnxruntime;
  readonly #session: onnxruntime.InferenceSession;

  private constructor(runtime: typeof onnxruntime, session: onnxruntime.InferenceSession) {
    this.#runtime = runtime;
    this.#session = session;
  }

  static async open(bytes: Uint8Array): Promise<OnnxModel> {
    const runtime = await loadRuntime();
    const session = await runtime.InferenceSession.create(bytes, { executionProviders: ['cpu'] });
    return new OnnxModel(runtime, session);
  }

  /** What `work` makes of a graph, which is released however that ends. */
  static async using<Result>(bytes: Uint8Array, work: (graph: OnnxModel) => Promise<Result>): Promise<Result> {
    const graph = await OnnxModel.open(bytes);
    try {
      return await work(graph);
    } finally {
      await graph.release();
    }
  }

  /** `images` is [count, 28, 28] uint8. */
  async predict(images: Uint8Array): Promise<Predictions> {
    const widths = { logits: CLASS_COUNT, probabilities: CLASS_COUNT };
    if (!this.#session.outputNames.includes(OUTLIER_SCORE.name)) return this.outputs(images, widths);
    const { outlier_score: outlierScores, ...outputs } = await this.outputs(images, {
      ...widths,
      [OUTLIER_SCORE.name]: 1,
    });
    return { ...outputs, outlierScores };
  }

  /** The graph's float32 outputs of the given widths by name, each [count, width]; `images` is [count, 28, 28] uint8. */
  async outputs<Name extends string>(
    images: Uint8Array,
    widths: Readonly<Record<Name, number>>,
  ): Promise<Record<Name, Float32Array>> {
    const count = images.length / PIXELS_PER_IMAGE;
    const names = Object.keys(widths) as Name[];
    const values = Object.fromEntries(names.map((name) => [name, new Float32Array(count * widths[name])])) as Record<
      Name,
      Float32Array
    >;
    for (let row = 0; row < count; row += ROWS_PER_RUN) {
      const rows = Math.min(ROWS_PER_RUN, count - row);
      const pixels = images.subarray(row * PIXELS_PER_IMAGE, (row + rows) * PIXELS_PER_IMAGE);
      const outputs = await this.run(pixels, names);
      for (const name of names) values[name].set(outputs[name], row * widths[name]);
    }
    return values;
  }

  /** The graph's float32 outputs by name, whatever their shapes, of one run with all `images` [count, 28, 28] uint8. */
  async run<Name extends string>(images: Uint8Array, names: readonly Name[]): Promise<Record<Name, Float32Array>> {
    const shape = [images.length / PIXELS_PER_IMAGE, IMAGE_HEIGHT, IMAGE_WIDTH];
    const outputs = await this.#session.run({ image: new this.#runtime.Tensor('uint8', images, shape) }, [...names]);
    return Object.fromEntries(names.map((name) => [name, outputs[name]?.data as Float32Array])) as Record<
      Name,
      Float32Array
    >;
  }

  async release(): Promise<void> {
    await this.#session.release();
  }
}
