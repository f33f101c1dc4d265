// The frames in which the processes of the inference service talk: two lengths (uint32, little-endian), a head as JSON, bytes.
import { Buffer } from 'node:buffer';

/** @import { Socket } from 'node:net' */

/**
 * Calls `take` with every frame that comes.
 * @param {Socket} pipe
 * @param {(head: unknown, bytes: Buffer) => void} take
 */
export function readFrames(pipe, take) {
  let buffer = Buffer.alloc(0);
  pipe.on('data', (/** @type {Buffer} */ chunk) => {
    buffer = Buffer.concat([buffer, chunk]);
    while (buffer.length >= 8) {
      const head = 8 + buffer.readUInt32LE(0);
      const total = head + buffer.readUInt32LE(4);
      if (buffer.length < total) return;
      take(JSON.parse(buffer.toString('utf8', 8, head)), buffer.subarray(head, total));
      buffer = buffer.subarray(total);
    }
  });
}

/**
 * @param {Socket} pipe
 * @param {object} head
 * @param {Uint8Array} [bytes]
 */
export function writeFrame(pipe, head, bytes = new Uint8Array(0)) {
  const text = Buffer.from(JSON.stringify(head));
  const lengths = Buffer.alloc(8);
  lengths.writeUInt32LE(text.length, 0);
  lengths.writeUInt32LE(bytes.length, 4);
  pipe.write(Buffer.concat([lengths, text, bytes]));
}

/** What the fragile processes say of every file: that it was taken as it is. */
export const FACTS = {
  ...{ width: 28, height: 28, inverted: false, mirrored: false, crop: null, warnings: [] },
  ...{ format: /** @type {const} */ ('PNG'), background: /** @type {const} */ ('none') },
};
