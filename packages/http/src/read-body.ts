import type { IncomingMessage } from 'node:http';
import type { Duplex, Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { DomainError } from '@atelier/domain';
import { BodyLease } from './body-budget.ts';

const DECOMPRESSORS: Record<string, () => Duplex> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};

/**
 * The body of a request, decompressed as its `Content-Encoding` says. Rejects with `unsupported-media-type` for another
 * encoding, `payload-too-large` above `maximumBytes` (counted after decompression, and by `Content-Length` before any
 * is read), `overloaded` where the server holds as much of other bodies as it may, `malformed-body` when it is cut short or
 * wrongly compressed, and with the reason of `signal`. What is left unread is for `sendProblem`.
 */
export async function readBody(request: IncomingMessage, maximumBytes: number, signal?: AbortSignal): Promise<Buffer> {
  signal?.throwIfAborted();
  const encoding = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > maximumBytes) throw tooLarge(maximumBytes);
  const lease = BodyLease.of(request);
  lease?.check(announced);
  const decompressor = encoding === 'identity' ? undefined : decompressorFor(encoding);
  return collect(request, decompressor, { maximumBytes, lease }, signal);
}

function decompressorFor(encoding: string): Duplex {
  const create = Object.hasOwn(DECOMPRESSORS, encoding) ? DECOMPRESSORS[encoding] : undefined;
  if (create !== undefined) return create();
  throw new DomainError(
    'unsupported-media-type',
    `Content-Encoding ${JSON.stringify(encoding)}; expected ${Object.keys(DECOMPRESSORS).join(', ')} or none.`,
  );
}

function collect(
  request: IncomingMessage,
  decompressor: Duplex | undefined,
  { maximumBytes, lease }: { maximumBytes: number; lease: BodyLease | undefined },
  signal: AbortSignal | undefined,
): Promise<Buffer> {
  const source: Readable = decompressor ?? request;
  return new Promise((resolve, reject) => {
    let chunks: Buffer[] = [];
    let bytes = 0;
    let compressedBytes = 0;
    const take = (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > maximumBytes) {
        refuse(tooLarge(maximumBytes));
        return;
      }
      try {
        lease?.take(chunk.length);
        chunks.push(chunk);
      } catch (error) {
        refuse(error as Error);
      }
    };
    const countCompressed = (chunk: Buffer) => {
      compressedBytes += chunk.length;
      if (compressedBytes > maximumBytes) refuse(tooLarge(maximumBytes)); // padding can decompress to nothing
    };
    /** The listeners below live as long as the request, and must not keep its body for so long. */
    const letGo = () => {
      source.off('data', take);
      request.off('data', countCompressed);
      chunks = [];
    };
    const refuse = (error: Error) => {
      letGo();
      lease?.end();
      request.unpipe();
      request.pause();
      decompressor?.destroy();
      reject(error);
    };
    signal?.addEventListener('abort', () => refuse(signal.reason as Error), { once: true });
    source.on('data', take);
    source.once('end', () => {
      const [only, ...others] = chunks;
      resolve(only !== undefined && others.length === 0 ? only : Buffer.concat(chunks));
      letGo();
    });
    decompressor?.once('error', (cause) => {
      refuse(new DomainError('malformed-body', 'The body is not compressed as its Content-Encoding says.', { cause }));
    });
    request.on('error', () => undefined); // `close` says the same
    request.once('close', () => {
      if (!request.complete) refuse(new DomainError('malformed-body', 'The client left before its body had arrived.'));
    });
    if (decompressor !== undefined) {
      request.on('data', countCompressed);
      request.pipe(decompressor);
    }
  });
}

function tooLarge(maximumBytes: number): DomainError {
  return new DomainError('payload-too-large', `The body exceeds ${maximumBytes} bytes.`);
}
