import * as tf from '@tensorflow/tfjs-core';

/**
 * Makes tfjs' WebAssembly backend multiply transposed matrices by transposing them first. Its own kernel goes to XNNPACK
 * for plain products only and loops over the elements for transposed ones, which is every product of a gradient and
 * what most of a training step would go to. Call once, after the backend is registered.
 */
export function transposeBeforeProducts(): void {
  const product = kernelFunction('BatchMatMul');
  const transpose = kernelFunction('Transpose');
  tf.unregisterKernel('BatchMatMul', 'wasm');
  tf.registerKernel({
    kernelName: 'BatchMatMul',
    backendName: 'wasm',
    kernelFunc: ({ inputs, attrs, backend }) => {
      const transposed: tf.TensorInfo[] = [];
      const plain = (operand: tf.TensorInfo | undefined, isTransposed: unknown): tf.TensorInfo => {
        if (operand === undefined) throw new RangeError('A product takes two matrices.');
        if (isTransposed !== true) return operand;
        const result = transpose({ inputs: { x: operand }, attrs: { perm: lastTwoSwapped(operand.shape) }, backend });
        transposed.push(result);
        return result;
      };
      const operands = { a: plain(inputs['a'], attrs?.['transposeA']), b: plain(inputs['b'], attrs?.['transposeB']) };
      const result = product({ inputs: operands, attrs: { transposeA: false, transposeB: false }, backend });
      for (const { dataId } of transposed) (backend as tf.KernelBackend).disposeData(dataId);
      return result;
    },
  });
}

type KernelCall = Parameters<NonNullable<ReturnType<typeof tf.getKernel>>['kernelFunc']>[0];

/** A kernel of one output. */
function kernelFunction(name: string): (call: KernelCall) => tf.TensorInfo {
  const kernel = tf.getKernel(name, 'wasm');
  if (kernel === undefined) throw new Error(`tfjs' WebAssembly backend has no kernel ${name}.`);
  return (call) => kernel.kernelFunc(call) as tf.TensorInfo;
}

/** The permutation that transposes a stack of matrices. */
function lastTwoSwapped({ length: rank }: number[]): number[] {
  return Array.from({ length: rank }, (_, axis) => (axis < rank - 2 ? axis : 2 * rank - 3 - axis));
}
