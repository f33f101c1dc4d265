import * as tf from '@tensorflow/tfjs-core';
import { importOptional } from './import-optional.ts';

/** What we use of the npm package `webgpu`: Dawn, the WebGPU of Chromium, for Node. */
interface Dawn {
  create: (options: string[]) => Gpu;
  /** GPUBufferUsage and its like, which a browser has as globals. */
  globals: object;
}

interface Gpu {
  requestAdapter(): Promise<{ info: { vendor: string; device: string; description: string } } | null>;
}

/** Makes tfjs' WebGPU backend the global one; resolves to a name with the adapter that computes. */
export async function startWebgpu(): Promise<string> {
  const { create, globals } = (await importOptional('webgpu')) as Dawn;
  const gpu = create([]);
  const adapter = await gpu.requestAdapter();
  if (adapter === null) {
    throw new Error('no adapter; on Linux it needs the Vulkan loader (libvulkan1) and the driver of a GPU');
  }
  Object.assign(globalThis, globals);
  provideNavigator(gpu);
  await importOptional('@tensorflow/tfjs-backend-webgpu');
  if (!(await tf.setBackend('webgpu'))) throw new Error('the adapter is there, but the backend does not start');
  const { vendor, device, description } = adapter.info;
  return `webgpu (${description || device || vendor || 'unnamed adapter'})`;
}

/** The backend looks for `navigator.gpu`; Node 20 has no navigator, later ones have one without it. */
function provideNavigator(gpu: Gpu): void {
  const navigator = (globalThis as { navigator?: object }).navigator ?? { userAgent: `Node.js/${process.version}` };
  Object.defineProperty(navigator, 'gpu', { value: gpu, configurable: true });
  if (!('navigator' in globalThis)) {
    Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true });
  }
}
