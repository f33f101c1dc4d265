import { messageOf } from '@atelier/domain';
import * as tf from '@tensorflow/tfjs-core';
import type { Device } from '../devices.ts';
import { importOptional } from './import-optional.ts';
import { transposeBeforeProducts } from './wasm-products.ts';
import { startWebgpu } from './webgpu.ts';

/** A tfjs backend that is ready. */
export interface Backend {
  /** For people and the manifest: "cuda (tfjs-node-gpu)", "wasm". */
  device: string;
  /** One sentence for each faster backend of the same device that was tried. */
  passedOver: string[];
}

interface Starter {
  name: string;
  /** Makes it tfjs' global backend and resolves to its name for people; rejects with the reason why it cannot. */
  start: () => Promise<string>;
}

/** What computes on each device, the fastest first. The native packages and webgpu are not installed by default. */
const STARTERS: Record<Device, readonly Starter[]> = {
  cuda: [{ name: 'tfjs-node-gpu', start: startOnGpu }],
  webgpu: [{ name: 'webgpu', start: startWebgpu }],
  cpu: [
    { name: 'tfjs-node', start: startNative },
    { name: 'wasm', start: startWasm },
    { name: 'javascript', start: startJavascript },
  ],
};

let current: { device: Device; backend: Promise<Backend> } | undefined;

/**
 * Starts the fastest backend of a device that works here. tfjs has one global backend, so a process should stay with one
 * device. Rejects with what each backend said.
 */
export function startBackend(device: Device): Promise<Backend> {
  if (current?.device !== device) current = { device, backend: startFirst(STARTERS[device]) };
  return current.backend;
}

async function startFirst(starters: readonly Starter[]): Promise<Backend> {
  tf.enableProdMode(); // tfjs' advertisement of tfjs-node is one of its warnings
  const passedOver: string[] = [];
  for (const { name, start } of starters) {
    try {
      return { device: await start(), passedOver };
    } catch (error) {
      passedOver.push(`${name}: ${firstLine(messageOf(error))}`);
    }
  }
  throw new Error(passedOver.join('; '));
}

async function startWasm(): Promise<string> {
  await startPortable('wasm', () => import('@tensorflow/tfjs-backend-wasm'));
  transposeBeforeProducts();
  return 'wasm';
}

async function startJavascript(): Promise<string> {
  await startPortable('cpu', () => import('@tensorflow/tfjs-backend-cpu'));
  return 'javascript';
}

async function startPortable(name: 'wasm' | 'cpu', load: () => Promise<unknown>): Promise<void> {
  await withoutItsProcessListeners(async () => {
    await load();
    if (!(await tf.setBackend(name))) throw new Error('it does not start');
  });
}

/**
 * The WebAssembly module listens for uncaught exceptions and rejections only to throw them again, which turns every
 * error message of this process into thirty thousand characters of its own source.
 */
async function withoutItsProcessListeners(start: () => Promise<void>): Promise<void> {
  const events = ['uncaughtException', 'unhandledRejection'] as const;
  const before = new Set<unknown>(events.flatMap((event) => process.listeners(event as 'uncaughtException')));
  await start();
  for (const event of events) {
    for (const listener of process.listeners(event as 'uncaughtException')) {
      if (!before.has(listener)) process.removeListener(event, listener);
    }
  }
}

async function startOnGpu(): Promise<string> {
  if (!(await loadNative('@tensorflow/tfjs-node-gpu'))) {
    throw new Error('it is installed but sees no GPU, or not CUDA 11.2 with cuDNN 8.1');
  }
  return 'cuda (tfjs-node-gpu)';
}

async function startNative(): Promise<string> {
  await loadNative('@tensorflow/tfjs-node');
  return 'cpu (tfjs-node)';
}

/** The native packages register the backend `tensorflow` on the same tfjs-core when imported; is it on a GPU? */
async function loadNative(packageName: string): Promise<boolean> {
  await importOptional(packageName);
  if (!(await tf.setBackend('tensorflow'))) throw new Error('it does not start');
  return (tf.backend() as { isUsingGpuDevice?: boolean }).isUsingGpuDevice === true;
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}
