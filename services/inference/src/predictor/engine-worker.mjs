// An engine: loads a model on onnxruntime, says what it takes and gives, and runs it. Its `run` and `create` occupy the
// thread that they are called on, promise or not, which is why they have one of their own. JavaScript, because Node 20
// takes no TypeScript entry for a worker, and loading a loader into it takes five times as long as all of this.
import { parentPort, workerData } from 'node:worker_threads';
import ort from 'onnxruntime-node';

/** @import { EngineTask, FromEngine, TensorDescription, ToEngine } from './engine-messages.ts' */

/** A request with more rows is cut into runs of this many, so that no run takes long. */
const ROWS_PER_RUN = 256;

/**
 * One thread and no spinning: for a model this small a second thread costs more than it gives, and a spinning one
 * takes a core from the thread that accepts requests. Entries of `extra` must be strings.
 * @type {ort.InferenceSession.SessionOptions}
 */
const SESSION_OPTIONS = {
  executionProviders: ['cpu'],
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  extra: { session: { intra_op: { allow_spinning: '0' } } },
};

if (parentPort === null) throw new Error('engine-worker.mjs runs as a worker only.');
const port = parentPort;
/** @type {unknown} */
const task = workerData;
const { model, imageShape, classCount } = /** @type {EngineTask} */ (task);

try {
  const session = await ort.InferenceSession.create(model, SESSION_OPTIONS);
  // One after the other: `close` must not release the session between two runs of a request.
  let last = Promise.resolve();
  port.on('message', (/** @type {ToEngine} */ message) => {
    last = last.then(() => answer(session, message));
  });
  const inputs = session.inputMetadata.map(describe);
  const outputs = session.outputMetadata.map(describe);
  send({ kind: 'ready', inputs, outputs });
} catch (error) {
  send({ kind: 'refused', message: String(error) });
}

/**
 * @param {ort.InferenceSession} session
 * @param {ToEngine} message
 */
async function answer(session, message) {
  if (message.kind === 'close') {
    await session.release(); // an environment that is torn down before its sessions can abort the process
    port.close();
    return;
  }
  const { id, images } = message;
  try {
    const outputs = await predict(session, images);
    send({ kind: 'predicted', id, outputs });
  } catch (error) {
    send({ kind: 'failed', id, message: String(error) });
  }
}

/**
 * @param {ort.InferenceSession} session
 * @param {Uint8Array} images [count, 28, 28]
 */
async function predict(session, images) {
  const pixels = imageShape[0] * imageShape[1];
  const count = images.length / pixels;
  const logits = new Float32Array(count * classCount);
  const probabilities = new Float32Array(count * classCount);
  for (let start = 0; start < count; start += ROWS_PER_RUN) {
    const rows = images.subarray(start * pixels, (start + ROWS_PER_RUN) * pixels);
    const image = new ort.Tensor('uint8', rows, [rows.length / pixels, ...imageShape]);
    const outputs = await session.run({ image }, ['logits', 'probabilities']);
    logits.set(/** @type {Float32Array} */ (outputs['logits']?.data), start * classCount);
    probabilities.set(/** @type {Float32Array} */ (outputs['probabilities']?.data), start * classCount);
  }
  return { logits, probabilities };
}

/**
 * @param {ort.InferenceSession.ValueMetadata} metadata
 * @returns {TensorDescription}
 */
function describe(metadata) {
  if (metadata.isTensor) return { name: metadata.name, type: metadata.type, shape: metadata.shape };
  return { name: metadata.name, type: 'no tensor', shape: [] };
}

/**
 * @param {FromEngine} message
 * @param {ArrayBuffer[]} [transfer]
 */
function send(message, transfer) {
  port.postMessage(message, transfer);
}
