// An engine: loads models on onnxruntime and runs them. Its `run` and `create` occupy the thread that they are called on,
// promise or not, which is why each engine has one of its own. It reads its pipe itself, with no other thread between.
import { Socket } from 'node:net';
import { workerData } from 'node:worker_threads';
import { IMAGE_HEIGHT, IMAGE_WIDTH } from '@atelier/domain';
import type * as onnxruntime from 'onnxruntime-node';
import { failedAnswer } from './failed-answer.ts';
import { readFrames, writeFrame } from './frames.ts';
import type { Answer, LoadedModel, OutputColumns, TensorDescription, ToEngine } from './messages.ts';
import { openSession } from './open-session.ts';

const { fd, runtime } = workerData as EngineTask;
const library = (await import(runtime)) as typeof onnxruntime;
const pipe = new Socket({ fd });
const models = new Map<number, Model>();

interface Model {
  session: onnxruntime.InferenceSession;
  outputs: readonly OutputColumns[];
}

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
        send({ id, kind: 'done' }, await run(modelOf(message.model), bytes, message.rows));
        break;
      case 'load':
        send({ id, kind: 'done', loaded: await load(message, bytes) });
        break;
      case 'unload':
        await models.get(message.model)?.session.release();
        models.delete(message.model);
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
  for (const { session } of models.values()) await session.release();
  models.clear();
}

async function load({ model, device, outputs: wanted }: Extract<ToEngine, { kind: 'load' }>, bytes: Uint8Array) {
  const session = await openSession(library, bytes, device, runtime);
  models.set(model, { session, outputs: wanted });
  const inputs = session.inputMetadata.map(describe);
  const outputs = session.outputMetadata.map(describe);
  return { inputs, outputs } satisfies LoadedModel;
}

function modelOf(number: number): Model {
  const model = models.get(number);
  if (model === undefined) throw new Error(`Model ${number} is not loaded.`);
  return model;
}

/** Takes images [rows, 28, 28]; gives float32 [rows, sum of the widths]: a row's outputs one behind the other. */
async function run({ session, outputs }: Model, images: Uint8Array, rows: number): Promise<Uint8Array> {
  const image = new library.Tensor('uint8', images, [rows, IMAGE_HEIGHT, IMAGE_WIDTH]);
  const names = outputs.map(({ name }) => name);
  const computed = await session.run({ image }, names);
  const width = outputs.reduce((sum, output) => sum + output.width, 0);
  const numbers = new Float32Array(rows * width);
  let column = 0;
  for (const output of outputs) {
    const data = computed[output.name]?.data as Float32Array;
    for (let row = 0; row < rows; row++) {
      numbers.set(data.subarray(row * output.width, (row + 1) * output.width), row * width + column);
    }
    column += output.width;
  }
  return new Uint8Array(numbers.buffer);
}

function describe(metadata: onnxruntime.InferenceSession.ValueMetadata): TensorDescription {
  if (metadata.isTensor) return { name: metadata.name, type: metadata.type, shape: metadata.shape };
  return { name: metadata.name, type: 'no tensor', shape: [] };
}

function send(message: Answer, bytes?: Uint8Array): void {
  writeFrame(pipe, message, bytes);
}
