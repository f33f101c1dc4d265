import type { Recipe } from '@atelier/domain';
import { chooseEngine, type EngineFactory } from '@atelier/trainer';
import * as tf from '@tensorflow/tfjs-core';

/**
 * The tfjs engine on WebAssembly, with the products of our own that it brings (docs/adr/0006), or with those of the
 * published backend. An error where tfjs computes on something else here.
 */
export function createWasmEngine(products: 'our products' | 'plain'): EngineFactory {
  return async (recipe: Recipe) => {
    await import('@tensorflow/tfjs-backend-wasm'); // registers the published kernels
    const published = registeredProduct();
    const { create, reason } = await chooseEngine('tfjs', 'cpu');
    if (tf.getBackend() !== 'wasm') throw new Error(`Expected tfjs on WebAssembly, found ${reason}.`);
    const ours = registeredProduct();
    if (ours === published) throw new Error('The engine no longer brings products of its own.');
    if (products === 'plain') {
      tf.unregisterKernel('BatchMatMul', 'wasm');
      tf.registerKernel(published);
    }
    return create(recipe);
  };
}

/** What multiplies matrices on WebAssembly at this moment. */
function registeredProduct(): tf.KernelConfig {
  const kernel = tf.getKernel('BatchMatMul', 'wasm');
  if (kernel === undefined) throw new Error("tfjs' WebAssembly backend has no kernel BatchMatMul.");
  return kernel;
}
