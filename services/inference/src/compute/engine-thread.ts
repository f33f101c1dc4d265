// An engine: loads models on onnxruntime and runs them. Its `run` and `create` occupy the thread that they are called on,
// promise or not, which is why each engine has one of its own. It reads its pipe itself, with no other thread between.
import { Socket } from 'node:net';
import { workerData } from 'node:worker_threads';
import { CLASS_COUNT, IMAGE_HEIGHT, IMAGE_WIDTH } from '@atelier/domain';
import type * as onnxruntime from 'onnxruntime-node';
import { failedAnswer } from './failed-answer.ts';
import { readFrames, writeFrame } from './frames.ts';
import type { Answer, LoadedModel, TensorDescription, ToEngine } from './messages.ts';
import { openSession } from './open-session.ts';

const { fd, runtime } = workerData as EngineTask;
const library = (await import(runtime)) as typeof onnxruntime;
const pipe = new Socket({ fd });
const sessions = new Map<number, onnxruntime.InferenceSession>();

/** What the thread is started with. */
export interface EngineTask {
  /** The descriptor of its pipe. */
  fd: number;
  /** The URL of onnxruntime's module. */
  runtime: string;
}

// One after the other: a session must not be released between two runs.
let last = Promise.resolve();
readFrames<ToEngine>(pipe, ({ head, bytes }) => {
  last = last.then(() => answer(head, bytes));
});
// The service has died.
pipe.on('end', () => void last.then(close).then(() => pipe.end())).on('error', () => undefined);

async function answer(message: ToEngine, bytes: Uint8Array): Promise<void> {
  const { id } = message;
  try {
    switch (message.kind) {
      case 'run':
        send({ id, kind: 'done' }, await run(sessionOf(message.model), bytes, message.rows));
        break;
      case 'load':
        send({ id, kind: 'done', loaded: await load(message, bytes) });
        break;
      case 'unload':
        await sessions.get(message.model)?.release();
        sessions.delete(message.model);
        send({ id, kind: 'done' });
        break;
      case 'close':
        await close();
        send({ id, kind: 'done' });
        pipe.end();
        break;
    }
  } catch (error) {
    send(failedAnswer(id, error));
  }
}

/** An environment that is torn down before its sessions can abort the process. */
async function close(): Promise<void> {
  for (const session of sessions.values()) await session.release();
  sessions.clear();
}

async function load({ model, device }: Extract<ToEngine, { kind: 'load' }>, bytes: Uint8Array) {
  const session = await openSession(library, bytes, device, runtime);
  sessions.set(model, session);
  const inputs = session.inputMetadata.map(describe);
  const outputs = session.outputMetadata.map(describe);
  return { inputs, outputs } satisfies LoadedModel;
}

function sessionOf(model: number): onnxruntime.InferenceSession {
  const session = sessions.get(model);
  if (session === undefined) throw new Error(`Model ${model} is not loaded.`);
  return session;
}

/** Takes images [rows, 28, 28]; gives float32 [rows, 20]: a row's logits, then its probabilities. */
async function run(session: onnxruntime.InferenceSession, images: Uint8Array, rows: number): Promise<Uint8Array> {
  const image = new library.Tensor('uint8', images, [rows, IMAGE_HEIGHT, IMAGE_WIDTH]);
  const { logits, probabilities } = await session.run({ image }, ['logits', 'probabilities']);
  const outputs = new Float32Array(rows * 2 * CLASS_COUNT);
  const [first, second] = [logits?.data as Float32Array, probabilities?.data as Float32Array];
  for (let row = 0; row < rows; row++) {
    const [from, to] = [row * CLASS_COUNT, (row + 1) * CLASS_COUNT];
    outputs.set(first.subarray(from, to), 2 * from);
    outputs.set(second.subarray(from, to), 2 * from + CLASS_COUNT);
  }
  return new Uint8Array(outputs.buffer);
}

function describe(metadata: onnxruntime.InferenceSession.ValueMetadata): TensorDescription {
  if (metadata.isTensor) return { name: metadata.name, type: metadata.type, shape: metadata.shape };
  return { name: metadata.name, type: 'no tensor', shape: [] };
}

function send(message: Answer, bytes?: Uint8Array): void {
  writeFrame(pipe, message, bytes);
}
