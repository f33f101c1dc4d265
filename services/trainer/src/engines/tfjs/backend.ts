import { messageOf } from '@atelier/domain';
import * as tf from '@tensorflow/tfjs-core';
import { transposeBeforeProducts } from './wasm-products.ts';

/** A tfjs backend that is ready, and why the faster ones are not. */
export interface Backend {
  /** For people and the manifest: "cuda (tfjs-node-gpu)", "wasm". */
  device: string;
  gpu: boolean;
  /** One sentence for each faster backend that was tried. */
  passedOver: string[];
}

/** Fastest first. `tensorflow` is native and not installed by default: `npm run setup:tfjs-gpu`. */
const CANDIDATES = [
  { name: 'tfjs-node-gpu', start: () => startNative('@tensorflow/tfjs-node-gpu') },
  { name: 'tfjs-node', start: () => startNative('@tensorflow/tfjs-node') },
  { name: 'wasm', start: startWasm },
  { name: 'cpu', start: () => startBackend('cpu', () => import('@tensorflow/tfjs-backend-cpu')) },
] as const;

export type BackendName = (typeof CANDIDATES)[number]['name'];

let started: Promise<Backend> | undefined;

/** Starts the fastest backend that works here, once in a process: tfjs has one global backend. */
export function startFastestBackend(): Promise<Backend> {
  started ??= startFirst();
  return started;
}

async function startFirst(): Promise<Backend> {
  tf.enableProdMode(); // tfjs' advertisement of tfjs-node is one of its warnings
  const passedOver: string[] = [];
  for (const { name, start } of CANDIDATES) {
    try {
      return { ...(await start()), passedOver };
    } catch (error) {
      passedOver.push(`${name}: ${firstLine(messageOf(error))}`);
    }
  }
  throw new Error(`No tfjs backend starts: ${passedOver.join('; ')}`);
}

async function startWasm() {
  const backend = await startBackend('wasm', () => import('@tensorflow/tfjs-backend-wasm'));
  transposeBeforeProducts();
  return backend;
}

async function startBackend(name: 'wasm' | 'cpu', load: () => Promise<unknown>) {
  await withoutItsProcessListeners(async () => {
    await load();
    if (!(await tf.setBackend(name))) throw new Error('it does not start');
  });
  return { device: name === 'cpu' ? 'javascript' : name, gpu: false };
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

/** The native packages register the backend `tensorflow` on the same tfjs-core when they are imported. */
async function startNative(packageName: string) {
  await importNative(packageName);
  if (!(await tf.setBackend('tensorflow'))) throw new Error('it does not start');
  const { isUsingGpuDevice = false } = tf.backend() as { isUsingGpuDevice?: boolean };
  const shortName = packageName.replace('@tensorflow/', '');
  return { device: isUsingGpuDevice ? `cuda (${shortName})` : `cpu (${shortName})`, gpu: isUsingGpuDevice };
}

async function importNative(packageName: string): Promise<void> {
  try {
    await import(packageName);
  } catch (error) {
    const missing = messageOf(error).includes(`Cannot find package '${packageName}'`);
    throw missing ? new Error('not installed') : error;
  }
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}
