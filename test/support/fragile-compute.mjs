// A compute process that falls over or hangs on command, to see its successor start. It speaks the messages of the real one,
// on the same descriptors: 3 is the decoder's, those from 4 on are the engines'.
import { Buffer } from 'node:buffer';
import { Socket } from 'node:net';

/** @import { Answer, DeviceClaim, ToEngine } from '@atelier/inference' */

/** First pixels that mean something; any other image has ten equal probabilities. */
const CRASH = 255;
const NEVER_ANSWER = 254;

/** @type {unknown} */
const task = JSON.parse(process.argv[2] ?? '');
const { engines } = /** @type {{ engines: number }} */ (task);
const decoder = new Socket({ fd: 3 });
decoder.on('end', () => process.exit(0)).resume();
for (let engine = 0; engine < engines; engine++) serve(new Socket({ fd: 4 + engine }));

/** @param {Socket} pipe */
function serve(pipe) {
  let buffer = Buffer.alloc(0);
  pipe.on('data', (/** @type {Buffer} */ chunk) => {
    buffer = Buffer.concat([buffer, chunk]);
    while (buffer.length >= 8) {
      const head = 8 + buffer.readUInt32LE(0);
      const total = head + buffer.readUInt32LE(4);
      if (buffer.length < total) return;
      /** @type {unknown} */
      const message = JSON.parse(buffer.toString('utf8', 8, head));
      answer(pipe, /** @type {ToEngine} */ (message), buffer.subarray(head, total));
      buffer = buffer.subarray(total);
    }
  });
}

/**
 * @param {Socket} pipe
 * @param {ToEngine} message
 * @param {Buffer} bytes
 */
function answer(pipe, message, bytes) {
  const { id } = message;
  if (message.kind === 'load') {
    const inputs = [tensor('image', 'uint8', 28, 28)];
    const outputs = [tensor('logits', 'float32', 10), tensor('probabilities', 'float32', 10)];
    /** @type {DeviceClaim} */
    const device = { requested: 'cpu', actual: 'cpu', reason: null };
    send(pipe, { id, kind: 'done', loaded: { inputs, outputs, device } });
  } else if (message.kind === 'run') {
    const commands = Array.from({ length: message.rows }, (_, row) => bytes[row * 784]);
    if (commands.includes(CRASH)) process.exit(7);
    if (!commands.includes(NEVER_ANSWER))
      send(pipe, { id, kind: 'done' }, new Float32Array(message.rows * 20).fill(0.1));
  } else send(pipe, { id, kind: 'done' });
}

/**
 * @param {Socket} pipe
 * @param {Answer} head
 * @param {Float32Array} [floats]
 */
function send(pipe, head, floats = new Float32Array(0)) {
  const text = Buffer.from(JSON.stringify(head));
  const prefix = Buffer.alloc(8);
  prefix.writeUInt32LE(text.length, 0);
  prefix.writeUInt32LE(floats.byteLength, 4);
  pipe.write(Buffer.concat([prefix, text, Buffer.from(floats.buffer)]));
}

/**
 * @param {string} name
 * @param {string} type
 * @param {number[]} shape
 */
function tensor(name, type, ...shape) {
  return { name, type, shape: ['batch', ...shape] };
}
