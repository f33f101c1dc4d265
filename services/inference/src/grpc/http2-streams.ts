import type { Http2Server, IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { deadlineAfter } from '@atelier/http';
import type { Metadata, Server, status as STATUS } from '@grpc/grpc-js';
import { isInference } from './access.ts';

/** A call as it comes, below what the library makes of it. */
export interface Http2Call {
  stream: ServerHttp2Stream;
  /** How compressed messages are that the library leaves alone; undefined where it decompresses them itself. */
  encoding: string | undefined;
}

/** Leads from a call of the library to its stream. Whatever a client sends under this name is overwritten. */
const STREAM_KEY = 'x-atelier-stream';

/** As the library finds one, also where the specification has none. */
const TIMEOUT = /(\d{1,8})\s*([HMSmun])/;
const UNIT_MS: Record<string, number> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };

/**
 * The HTTP/2 below the calls: what guards a server needs the bytes as they come and the end of each stream, and the library
 * gives neither away.
 */
export class Http2Streams {
  readonly #open = new Map<string, Http2Call>();
  #count = 0;

  /** `onUnknown`: a call has ended that no method took. */
  watch(server: Http2Server, onUnknown: (path: string) => void): void {
    server.prependListener('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
      const id = String(++this.#count);
      const path = headers[':path'] ?? '';
      headers[STREAM_KEY] = id;
      dropLongTimeout(headers);
      this.#open.set(id, { stream, encoding: isInference(path) ? takeEncoding(headers) : undefined });
      stream.once('close', () => {
        if (this.#open.delete(id) && stream.sentHeaders?.['grpc-status'] !== undefined) onUnknown(path);
      });
    });
  }

  /** The call with this metadata, once; undefined where it has ended. */
  take(metadata: Metadata): Http2Call | undefined {
    const id = String(metadata.get(STREAM_KEY)[0]);
    metadata.remove(STREAM_KEY);
    const call = this.#open.get(id);
    this.#open.delete(id);
    return call;
  }
}

/**
 * The status that has gone out to a client, in trailers or with the headers; undefined where it left before. The library
 * sends some past whoever stands between it and the methods.
 */
export function sentStatus({ stream }: Http2Call): STATUS | undefined {
  const status = stream.sentTrailers?.['grpc-status'] ?? stream.sentHeaders?.['grpc-status'];
  return status === undefined ? undefined : Number(status);
}

/**
 * The servers of Node that listen for a server of the library. Its field is private, and a version without it fails here,
 * at the start, in place of serving unguarded.
 */
export function http2ServersOf(server: Server): Http2Server[] {
  const servers: unknown = Reflect.get(server, 'http2Servers');
  if (servers instanceof Map && servers.size > 0) return [...servers.keys()] as Http2Server[];
  throw new TypeError('@grpc/grpc-js has its HTTP/2 servers elsewhere than version 1.14.');
}

/** The library counts a timeout in 32 bits, of which too long a one makes any other, most of them over at once. */
function dropLongTimeout(headers: IncomingHttpHeaders): void {
  const [, amount, unit = ''] = TIMEOUT.exec(String(headers['grpc-timeout'])) ?? [];
  if (amount === undefined) return;
  if (deadlineAfter(Number(amount) * (UNIT_MS[unit] ?? 1)) === undefined) delete headers['grpc-timeout'];
}

/** Without the header the library hands compressed messages on as they are. */
function takeEncoding(headers: IncomingHttpHeaders): string {
  const encoding = String(headers['grpc-encoding'] ?? 'identity');
  delete headers['grpc-encoding'];
  return encoding;
}
