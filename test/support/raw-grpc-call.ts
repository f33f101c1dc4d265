import { once } from 'node:events';
import { type ClientHttp2Session, type ClientHttp2Stream, connect, type IncomingHttpHeaders } from 'node:http2';
import type { TestContext } from 'node:test';

/** A connection that speaks HTTP/2 and nothing of gRPC, and ends with the test. `windowBytes`: of an answer before it is read. */
export function http2Session(t: TestContext, address: string, windowBytes = 65_535): ClientHttp2Session {
  const session = connect(`http://${address}`, { settings: { initialWindowSize: windowBytes } });
  session.on('error', () => undefined);
  t.after(() => session.destroy());
  return session;
}

/** A call byte by byte, as no library of gRPC would send it. */
export class RawGrpcCall {
  readonly stream: ClientHttp2Stream;
  readonly #headers: IncomingHttpHeaders = {};

  constructor(session: ClientHttp2Session, path: string, headers: Record<string, string> = {}) {
    this.stream = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    });
    this.stream.on('error', () => undefined);
    this.stream.on('response', (received) => void Object.assign(this.#headers, received));
    this.stream.on('trailers', (received) => void Object.assign(this.#headers, received));
  }

  /** Sends a message, or as much of it as `sent` bytes. */
  send(message: Buffer, { sent = message.length, compressed = false } = {}): this {
    const prefix = Buffer.alloc(5);
    prefix[0] = compressed ? 1 : 0;
    prefix.writeUInt32BE(message.length, 1);
    this.stream.write(Buffer.concat([prefix, message.subarray(0, sent)]));
    return this;
  }

  end(): this {
    this.stream.end();
    return this;
  }

  /** What came back when the call has ended, whoever ended it: `grpc-status`, `x-error-code` and the like. */
  async outcome({ unread = false } = {}): Promise<IncomingHttpHeaders> {
    if (!unread) this.stream.resume();
    if (!this.stream.closed) await once(this.stream, 'close');
    return this.#headers;
  }
}
