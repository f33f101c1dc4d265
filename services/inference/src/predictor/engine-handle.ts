import { Worker } from 'node:worker_threads';
import { DomainError, messageOf } from '@atelier/domain';
import type { EngineTask, FromEngine, TensorDescription, ToEngine } from './engine-messages.ts';
import type { Outputs } from './predictor.ts';

/** An engine in a worker, from its start to its end. */
export interface EngineHandle {
  /** What the model takes and gives. */
  readonly inputs: TensorDescription[];
  readonly outputs: TensorDescription[];
  predict(images: Uint8Array): Promise<Outputs>;
  /** Lets the worker answer what it has, release its session and end. */
  close(): Promise<void>;
  /** Resolves when the worker has ended, with the reason unless `close` asked for it. */
  readonly ended: Promise<Error | undefined>;
}

interface Waiting {
  resolve(outputs: Outputs): void;
  reject(error: Error): void;
}

const ENTRY = new URL('./engine-worker.mjs', import.meta.url);

/**
 * Starts a worker with `task` and resolves when it has loaded the model; rejects with `malformed-onnx` when the runtime
 * refuses it. `entry` is the worker's module. The worker is stopped by message only: terminating one in the middle of a
 * run aborts the process.
 */
export async function startEngine(task: EngineTask, entry: URL = ENTRY): Promise<EngineHandle> {
  // The runtime reads this when it loads, from the process: a worker's own `process.env` is a copy it never sees.
  process.env['ORT_DISABLE_TELEMETRY'] = '1';
  const worker = new Worker(entry, { workerData: task, execArgv: [] });
  const waiting = new Map<number, Waiting>();
  let closing = false;
  let lastId = 0;

  const ended = new Promise<Error | undefined>((resolve) => {
    let failure: Error | undefined;
    worker.once('error', (error) => (failure = error instanceof Error ? error : new Error(messageOf(error))));
    worker.once('exit', (code) => {
      const reason = failure ?? (closing ? undefined : new Error(`The worker ended by itself with code ${code}.`));
      const fault = new DomainError('engine-fault', 'The engine failed while it computed.', { cause: reason });
      for (const waiter of waiting.values()) waiter.reject(fault);
      waiting.clear();
      resolve(reason);
    });
  });

  function settle(id: number, action: (waiter: Waiting) => void): void {
    const waiter = waiting.get(id);
    waiting.delete(id);
    if (waiter !== undefined) action(waiter);
  }

  const loaded = new Promise<{ inputs: TensorDescription[]; outputs: TensorDescription[] }>((resolve, reject) => {
    worker.on('message', (message: FromEngine) => {
      switch (message.kind) {
        case 'ready':
          resolve({ inputs: message.inputs, outputs: message.outputs });
          break;
        case 'refused':
          closing = true; // the worker ends by itself
          reject(new DomainError('malformed-onnx', `The runtime refuses the model: ${message.message}`));
          break;
        case 'predicted':
          settle(message.id, (waiter) => waiter.resolve(message.outputs));
          break;
        case 'failed': {
          const cause = new Error(message.message);
          const fault = new DomainError('engine-fault', 'The engine could not compute this request.', { cause });
          settle(message.id, (waiter) => waiter.reject(fault));
          break;
        }
      }
    });
    void ended.then((cause) => reject(new DomainError('engine-fault', 'The engine ended as it started.', { cause })));
  });
  const description = await loaded;

  return {
    ...description,
    ended,
    predict(images) {
      return new Promise((resolve, reject) => {
        const id = ++lastId;
        waiting.set(id, { resolve, reject });
        // A copy of its own memory, since sending takes that away from this thread; a Buffer's `slice` would be a view.
        const copy = new Uint8Array(images);
        worker.postMessage({ kind: 'predict', id, images: copy } satisfies ToEngine, [copy.buffer]);
      });
    },
    async close() {
      closing = true;
      worker.postMessage({ kind: 'close' } satisfies ToEngine);
      await ended;
    },
  };
}
