import { once } from 'node:events';
import { Agent, type IncomingHttpHeaders, type IncomingMessage, request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { gunzipSync, inflateSync } from 'node:zlib';

export interface Sent {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'PATCH';
  /** Below the base URL, for example `/v2/health/live`. */
  path: string;
  headers?: Record<string, string>;
  body?: Buffer | string;
}

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  /** Decompressed. */
  body: Buffer;
  /** Tells connections apart. */
  localPort: number;
}

/** How long an answer may take, in ms. */
const TIMEOUT_MS = 30_000;

/** One connection to a server, which is kept alive from request to request where the server lets it. */
export class Connection {
  readonly #url: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(url: string) {
    this.#url = url.replace(/\/+$/, '');
  }

  async send({ method, path, headers = {}, body }: Sent): Promise<Answer> {
    const length = body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) };
    const options = { method, agent: this.#agent, headers: { ...length, ...headers }, timeout: TIMEOUT_MS };
    const sending = httpRequest(`${this.#url}${path}`, options);
    sending.once('timeout', () => sending.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)));
    sending.end(body);
    const [response] = (await once(sending, 'response')) as [IncomingMessage];
    const localPort = response.socket.localPort ?? 0; // known only while it is open
    const raw = await buffer(response);
    return {
      status: response.statusCode ?? 0,
      headers: response.headers,
      body: decompressed(raw, response.headers['content-encoding']),
      localPort,
    };
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** Sends texts of whole requests one after the other without waiting; the answers as they come, until they are `enough`. */
export async function pipeline(url: string, requests: string[], enough: (answers: string) => boolean): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port === '' ? 80 : port), hostname.replace(/^\[|\]$/g, ''));
  socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)));
  try {
    socket.write(requests.join(''));
    let answers = '';
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      answers += chunk.toString('latin1');
      if (enough(answers)) break;
    }
    return answers;
  } finally {
    socket.destroy();
  }
}

function decompressed(body: Buffer, encoding: string | undefined): Buffer {
  if (encoding === 'gzip') return gunzipSync(body);
  return encoding === 'deflate' ? inflateSync(body) : body;
}
