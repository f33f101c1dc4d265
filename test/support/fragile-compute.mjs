// A compute process that falls over, hangs or talks nonsense on command, to see what the service makes of it. It speaks the
// messages of the real one, on the same descriptors: 3 is the decoder's, those from 4 on are the engines'. To the file that
// FRAGILE_ASKED names it adds a line for each picture and each batch that it is asked for. FRAGILE_LOAD_MS is what it takes to
// load every model but the first, in which it does nothing else.
import { Buffer } from 'node:buffer';
import { appendFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { setTimeout } from 'node:timers';
import { FACTS, readFrames, writeFrame } from './frames.mjs';

/** @import { Answer, ToDecoder, ToEngine } from '@atelier/inference' */

/**
 * What the first pixel of an image means, or the first byte of a file, which need be no picture; any other image has ten
 * equal probabilities. See `test/support/fragile-compute.ts`.
 */
const [CRASH, NEVER, SLOW, NO_NUMBERS, NO_JSON, HUGE, TOO_FEW, TWICE, STRANGE_CODE] = [
  255, 254, 253, 252, 251, 250, 249, 248, 247,
];
const SLOW_MS = 300;

/** What becomes of who loads a model on CUDA: it `works`, it `kills` the process, or there is no GPU. */
const CUDA = process.env['FRAGILE_CUDA'];

/** @type {unknown} */
const task = JSON.parse(process.argv[2] ?? '');
const { engines } = /** @type {{ engines: number }} */ (task);
const decoder = new Socket({ fd: 3 });
decoder.on('end', () => process.exit(0));
serve(decoder);
for (let engine = 0; engine < engines; engine++) serve(new Socket({ fd: 4 + engine }));

/** @param {Socket} pipe */
function serve(pipe) {
  readFrames(pipe, (message, bytes) => answer(pipe, /** @type {ToEngine | ToDecoder} */ (message), bytes));
}

/**
 * @param {Socket} pipe
 * @param {ToEngine | ToDecoder} message
 * @param {Buffer} bytes
 */
function answer(pipe, message, bytes) {
  const { id } = message;
  if (message.kind === 'load') {
    const sleepMs = message.model === 1 ? 0 : Number(process.env['FRAGILE_LOAD_MS'] ?? 0);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, sleepMs);
    if (message.device === 'cuda' && CUDA === 'kills') process.exit(9);
    if (message.device === 'cuda' && CUDA !== 'works') {
      const words =
        'CUDA failure 100: no CUDA-capable device is detected ; GPU=-1 ; hostname=here ; expr=cudaSetDevice(0);';
      return send(pipe, { id, kind: 'failed', code: 'device-unavailable', message: words });
    }
    const inputs = [tensor('image', 'uint8', 28, 28)];
    const outputs = [tensor('logits', 'float32', 10), tensor('probabilities', 'float32', 10)];
    send(pipe, { id, kind: 'done', loaded: { inputs, outputs } });
  } else if (message.kind === 'run') {
    note(`run ${message.rows}`);
    const commands = Array.from({ length: message.rows }, (_, row) => bytes[row * 784]);
    obey(pipe, id, commands, new Uint8Array(new Float32Array(message.rows * 20).fill(0.1).buffer));
  } else if (message.kind === 'decode') {
    note('decode');
    obey(pipe, id, [bytes[0]], new Uint8Array(784));
  } else send(pipe, { id, kind: 'done' });
}

/**
 * @param {Socket} pipe
 * @param {number} id
 * @param {(number | undefined)[]} commands
 * @param {Uint8Array} output
 */
function obey(pipe, id, commands, output) {
  if (commands.includes(CRASH)) process.exit(7);
  if (commands.includes(NEVER)) return;
  const done = () => send(pipe, { id, kind: 'done', pixels: 1, facts: FACTS }, output);
  if (commands.includes(SLOW)) setTimeout(done, SLOW_MS);
  else if (commands.includes(NO_NUMBERS)) send(pipe, { id, kind: 'done' }, output.fill(0xff));
  else if (commands.includes(NO_JSON))
    pipe.write(Buffer.from('GET / HTTP/1.1\r\n\r\n'.repeat(100)).fill(0, 0, 8).fill(9, 0, 1));
  else if (commands.includes(HUGE)) pipe.write(Buffer.alloc(8, 0xff));
  else if (commands.includes(TOO_FEW)) send(pipe, { id, kind: 'done' }, output.subarray(0, output.length - 3));
  else if (commands.includes(TWICE)) {
    send(pipe, { id: id + 1_000_000, kind: 'done' }, output);
    done();
    done();
  } else if (commands.includes(STRANGE_CODE)) {
    const failure = { id, kind: 'failed', code: 'no-such-code', message: 'strange' };
    send(pipe, /** @type {Answer} */ (/** @type {unknown} */ (failure)));
  } else done();
}

/** @param {string} line */
function note(line) {
  const path = process.env['FRAGILE_ASKED'];
  if (path !== undefined) appendFileSync(path, `${line}\n`);
}

/**
 * @param {Socket} pipe
 * @param {Answer} head
 * @param {Uint8Array} [bytes]
 */
function send(pipe, head, bytes) {
  writeFrame(pipe, head, bytes);
}

/**
 * @param {string} name
 * @param {string} type
 * @param {number[]} shape
 */
function tensor(name, type, ...shape) {
  return { name, type, shape: ['batch', ...shape] };
}
