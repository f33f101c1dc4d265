/** `cpu` is plain JavaScript: slow, adds up in float64, has every kernel. `wasm` lacks a few and is many times as fast. */
export type TfjsBackend = 'cpu' | 'wasm';

/** TensorFlow.js with `backend` as its global backend; loaded here, so that what needs no reference loads none. */
export async function startTfjs(backend: TfjsBackend) {
  const tf = await import('@tensorflow/tfjs-core');
  tf.enableProdMode(); // its advertisement of tfjs-node is one of its warnings
  await withoutItsProcessListeners(async () => {
    await (backend === 'wasm' ? import('@tensorflow/tfjs-backend-wasm') : import('@tensorflow/tfjs-backend-cpu'));
    if (!(await tf.setBackend(backend))) throw new Error(`The backend ${backend} of TensorFlow.js does not start.`);
  });
  const { loadLayersModel } = await import('@tensorflow/tfjs-layers');
  return { tf, loadLayersModel };
}

/** The WebAssembly module listens for uncaught exceptions only to throw them again, with its own source before each. */
async function withoutItsProcessListeners(start: () => Promise<void>): Promise<void> {
  const events = ['uncaughtException', 'unhandledRejection'] as const;
  const listeners = (event: (typeof events)[number]) => process.listeners(event as 'uncaughtException');
  const before = new Set<unknown>(events.flatMap(listeners));
  await start();
  for (const event of events) {
    for (const listener of listeners(event)) {
      if (!before.has(listener)) process.removeListener(event, listener);
    }
  }
}
