// A bulk process that dies over a file that begins with "crash", to see whom it takes with it. It speaks the messages of the real
// one on descriptor 3, and says of every other file that it is black.
import { Buffer } from 'node:buffer';
import { Socket } from 'node:net';

/** @import { ToBulkDecoder } from '../../services/inference/src/compute/bulk-messages.ts' */

const FACTS = {
  ...{ width: 28, height: 28, inverted: false, mirrored: false, crop: null, warnings: [] },
  ...{ format: 'PNG', background: 'none' },
};

const pipe = new Socket({ fd: 3 });
pipe.on('end', () => process.exit(0));
let buffer = Buffer.alloc(0);
pipe.on('data', (/** @type {Buffer} */ chunk) => {
  buffer = Buffer.concat([buffer, chunk]);
  while (buffer.length >= 8) {
    const head = 8 + buffer.readUInt32LE(0);
    const total = head + buffer.readUInt32LE(4);
    if (buffer.length < total) return;
    /** @type {unknown} */
    const message = JSON.parse(buffer.toString('utf8', 8, head));
    answer(/** @type {ToBulkDecoder} */ (message), buffer.subarray(head, total));
    buffer = buffer.subarray(total);
  }
});

/**
 * @param {ToBulkDecoder} message
 * @param {Buffer} bytes
 */
function answer(message, bytes) {
  if (message.kind !== 'decode-all') return send({ id: message.id, kind: 'done' }, Buffer.alloc(0));
  if (bytes.includes('crash')) process.exit(139);
  const decoded = message.files.map(() => ({ facts: FACTS }));
  send({ id: message.id, kind: 'done', decoded }, Buffer.alloc(784 * decoded.length));
}

/**
 * @param {object} head
 * @param {Buffer} bytes
 */
function send(head, bytes) {
  const text = JSON.stringify(head);
  const start = Buffer.alloc(8);
  start.writeUInt32LE(Buffer.byteLength(text), 0);
  start.writeUInt32LE(bytes.length, 4);
  pipe.write(Buffer.concat([start, Buffer.from(text), bytes]));
}
