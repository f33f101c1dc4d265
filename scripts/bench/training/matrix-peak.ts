import { availableParallelism } from 'node:os';
import { encodeModel, float32Tensor, model, node, type OnnxModel, value } from '@atelier/onnx';
import type { Sample, SampleOptions } from '../benchmark.ts';
import { loadOnnxruntime } from '../onnxruntime.ts';

/** Sides of the square matrices; the best of them is the peak. */
const SIDES = [1024, 2048];
const QUICK_SIDES = [64];
/** Products in one call, each of the last one's result, so that calling costs nothing beside them. */
const CHAIN = 4;
const CALLS = 10;

/**
 * The most that the cores give onnxruntime in float32, with as many threads as the training has: products of square
 * matrices, the second of them a constant, which onnxruntime brings into its own order once. `gigaflops` is of the best call.
 */
export async function measureMatrixPeak({ isQuick }: SampleOptions): Promise<Sample> {
  const speeds: number[] = [];
  for (const side of isQuick ? QUICK_SIDES : SIDES) speeds.push(await speedOfProducts(side));
  return { gigaflops: Math.max(...speeds) };
}

async function speedOfProducts(side: number): Promise<number> {
  const { InferenceSession, Tensor } = await loadOnnxruntime();
  const session = await InferenceSession.create(encodeModel(chainOfProducts(side)), {
    executionProviders: ['cpu'],
    intraOpNumThreads: availableParallelism(),
    interOpNumThreads: 1,
  });
  const feeds = { x: new Tensor('float32', randomMatrix(side), [side, side]) };
  let best = Infinity;
  for (let call = 0; call < CALLS; call++) {
    const started = performance.now();
    await session.run(feeds);
    best = Math.min(best, performance.now() - started);
  }
  await session.release();
  return (CHAIN * 2 * side ** 3) / (best / 1000) / 1e9;
}

/** x·w·w·w·w, of which only the mean goes out. */
function chainOfProducts(side: number): OnnxModel {
  const products = Array.from({ length: CHAIN }, (_, index) =>
    node('MatMul', [index === 0 ? 'x' : `product_${index}`, 'w'], `product_${index + 1}`),
  );
  return model({
    name: 'products',
    nodes: [...products, node('ReduceMean', [`product_${CHAIN}`], 'mean')],
    inputs: [value('x', 'float32', [side, side])],
    outputs: [value('mean', 'float32', null)],
    initializers: [float32Tensor('w', [side, side], randomMatrix(side))],
    values: [],
  });
}

/** Uniform with variance 1/side, so that products stay of the size of their factors. */
function randomMatrix(side: number): Float32Array {
  const limit = Math.sqrt(3 / side);
  return Float32Array.from({ length: side ** 2 }, () => (2 * Math.random() - 1) * limit);
}
