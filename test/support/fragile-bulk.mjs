// A bulk process that dies over a file that begins with "crash", to see whom it takes with it. It speaks the messages of the real
// one on descriptor 3, and says of every other file that it is black.
import { Buffer } from 'node:buffer';
import { Socket } from 'node:net';
import { FACTS, readFrames, writeFrame } from './frames.mjs';

/** @import { ToBulkDecoder } from '../../services/inference/src/compute/bulk-messages.ts' */

const pipe = new Socket({ fd: 3 });
pipe.on('end', () => process.exit(0));
readFrames(pipe, (message, bytes) => answer(/** @type {ToBulkDecoder} */ (message), bytes));

/**
 * @param {ToBulkDecoder} message
 * @param {Buffer} bytes
 */
function answer(message, bytes) {
  if (message.kind !== 'decode-all') return writeFrame(pipe, { id: message.id, kind: 'done' });
  if (bytes.includes('crash')) process.exit(139);
  const decoded = message.files.map(() => ({ facts: FACTS }));
  writeFrame(pipe, { id: message.id, kind: 'done', decoded }, Buffer.alloc(784 * decoded.length));
}
