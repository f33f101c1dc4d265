import { promisify } from 'node:util';
import { gunzip, inflate } from 'node:zlib';
import { DomainError } from '@atelier/domain';
import type { Http2Call } from './http2-streams.ts';

const DECOMPRESSORS = { gzip: promisify(gunzip), deflate: promisify(inflate) };

/** One message at a time: a few kilobytes become megabytes, of which nobody knows before they are there. */
let last: Promise<unknown> = Promise.resolve();

/**
 * A message decompressed as its call says. Rejects with `payload-too-large` where it becomes more than `maximumBytes`,
 * `malformed-body` where it is not compressed like that or its client has left, and `unsupported-feature` for another
 * encoding.
 */
export function decompress(message: Buffer, call: Http2Call, maximumBytes: number): Promise<Buffer> {
  const decompressed = last.then(() => run(message, call, maximumBytes));
  last = decompressed.catch(() => undefined);
  return decompressed;
}

async function run(
  message: Buffer,
  { encoding = 'identity', stream }: Http2Call,
  maximumBytes: number,
): Promise<Buffer> {
  // Its room is given back: without this whoever sends and leaves would fill the queue for nothing.
  if (stream.closed) throw new DomainError('malformed-body', 'The client left before it was answered.');
  if (encoding === 'identity') return message;
  const method = Object.hasOwn(DECOMPRESSORS, encoding) ? DECOMPRESSORS[encoding as 'gzip' | 'deflate'] : undefined;
  if (method === undefined) {
    const came = JSON.stringify(encoding.slice(0, 64));
    throw new DomainError('unsupported-feature', `grpc-encoding ${came}; expected gzip, deflate or identity.`);
  }
  try {
    return await method(message, { maxOutputLength: maximumBytes });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      throw new DomainError('payload-too-large', `The message decompresses to more than ${maximumBytes} bytes.`);
    }
    throw new DomainError('malformed-body', 'The message is not compressed as grpc-encoding says.', { cause });
  }
}
