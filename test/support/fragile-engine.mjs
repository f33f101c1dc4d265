// An engine worker that falls over on command, to see its successor start. It speaks the messages of the real one.
import { parentPort } from 'node:worker_threads';

/** @import { FromEngine, TensorDescription, ToEngine } from '@atelier/inference' */

/** First pixels that mean something; any other image has ten equal probabilities. */
const CRASH = 255;
const NEVER_ANSWER = 254;

if (parentPort === null) throw new Error('fragile-engine.mjs runs as a worker only.');
const port = parentPort;

port.on('message', (/** @type {ToEngine} */ message) => {
  if (message.kind === 'close') {
    port.close();
    return;
  }
  const { id, images } = message;
  if (images[0] === CRASH) throw new Error('fell over on command');
  if (images[0] === NEVER_ANSWER) return;
  const rows = new Float32Array((images.length / 784) * 10).fill(0.1);
  send({ kind: 'predicted', id, outputs: { logits: rows, probabilities: rows } });
});
send({
  kind: 'ready',
  inputs: [tensor('image', 'uint8', 28, 28)],
  outputs: [tensor('logits', 'float32', 10), tensor('probabilities', 'float32', 10)],
});

/** @param {FromEngine} message */
function send(message) {
  port.postMessage(message);
}

/**
 * @param {string} name
 * @param {string} type
 * @param {number[]} shape
 * @returns {TensorDescription}
 */
function tensor(name, type, ...shape) {
  return { name, type, shape: ['batch', ...shape] };
}
