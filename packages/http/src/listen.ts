import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { DomainError } from '@atelier/domain';
import { type BodyBudget, limitBodies } from './body-budget.ts';
import { limitConnections } from './connection-limit.ts';
import { Connections } from './connections.ts';
import type { Log } from './log.ts';
import { hasOwnPace } from './own-pace.ts';
import { lacksHost, refuseMalformedRequest, refuseWithoutHost } from './malformed-request.ts';

export interface Listening {
  /** For example `http://127.0.0.1:8080`. */
  url: string;
  /**
   * Stops accepting, answers requests in flight and the next one of each connection that is kept alive, for at most
   * `graceMs`, and resolves when the last connection has ended. Every call returns the same promise.
   */
  close: () => Promise<void>;
}

export interface ListenOptions {
  /** Where to say what came and was no HTTP request. Default: nowhere. */
  log?: Log;
  /** How long `close` waits for the answers. Default: 10 s. */
  graceMs?: number;
  /** How long a request may take to arrive whole. Default: 5 min, Node's own. */
  requestTimeoutMs?: number;
  /** How long its headers may take of that. Default: 1 min, Node's own. */
  headersTimeoutMs?: number;
  /** How large its headers may be together. Default: 16 KiB, Node's own. */
  maximumHeaderBytes?: number;
  /** How long a connection stays open without a request, in ms. Default: 5 s, Node's own. */
  keepAliveMs?: number;
  /** Connections at a time; one more is closed as it comes. Default: as many as the system gives. */
  maximumConnections?: number;
  /** Out of which the bodies are held until they are answered. Default: no limit. */
  bodies?: BodyBudget;
  /** How long a client may leave an answer that has begun unread. Default: as long as it likes. */
  stalledMs?: number;
}

/** How long a closing server leaves an idle connection open: a client far away may just be sending on it. */
const IDLE_MS = 500;

/** So often Node looks, within a timeout, for requests that are over it; once in 30 s is its own, however short that is. */
const CHECKS_PER_TIMEOUT = 4;

/** Listens on `host` and `port` (0: any free one); `address-unavailable` says why it cannot. */
export async function listen(
  app: RequestListener,
  host: string,
  port: number,
  {
    log,
    graceMs = 10_000,
    requestTimeoutMs = 300_000,
    headersTimeoutMs = 60_000,
    maximumHeaderBytes = 16_384,
    keepAliveMs = 5_000,
    maximumConnections,
    bodies,
    stalledMs,
  }: ListenOptions = {},
): Promise<Listening> {
  const headersTimeout = Math.min(headersTimeoutMs, requestTimeoutMs); // Node takes it no longer than the other
  const options = {
    requireHostHeader: false,
    requestTimeout: requestTimeoutMs,
    headersTimeout,
    connectionsCheckingInterval: Math.ceil(headersTimeout / CHECKS_PER_TIMEOUT),
    maxHeaderSize: maximumHeaderBytes,
    keepAliveTimeout: keepAliveMs,
  };
  const server = createServer(options);
  if (maximumConnections !== undefined) limitConnections(server, maximumConnections, log);
  const refusal = { maximumHeaderBytes, log };
  const connections = new Connections(server, (request, response) => {
    if (lacksHost(request)) refuseWithoutHost(request, response, log);
    else app(request, response);
  });
  if (stalledMs !== undefined) endStalled(server, connections, stalledMs);
  if (bodies !== undefined) limitBodies(server, bodies, (socket) => connections.answerOn(socket));
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    if (socket.writableEnded) return; // answered already, and more came
    if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && hasOwnPace(connections.lastRequestOn(socket))) return;
    if (error.code === 'ECONNRESET' || !socket.writable || connections.isAnswering(socket)) socket.destroy();
    else refuseMalformedRequest(error, socket, refusal);
  });
  server.on('connect', (_request: IncomingMessage, socket: Socket) =>
    refuseMalformedRequest(new Error('CONNECT'), socket, refusal),
  );
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    continueWhenRead(request, response);
    server.emit('request', request, response);
  });
  // An expectation that we do not know is none of ours (RFC 9110, section 10.1.1): the application answers as ever.
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (cause) {
    throw new DomainError('address-unavailable', `Cannot listen on ${host}:${port}: ${reasonOf(cause)}.`, { cause });
  }
  let closed: Promise<void> | undefined;
  const close = () => (closed ??= connections.drain(IDLE_MS, graceMs));
  return { url: urlOf(server.address() as AddressInfo), close };
}

/**
 * Who expects 100 (RFC 9110, section 10.1.1) is told to send its body when somebody wants to read it: not before its key
 * has been looked at, and not where the answer is a refusal. What it sends after that would be taken for a request, so that
 * its connection ends.
 */
function continueWhenRead(request: IncomingMessage, response: ServerResponse): void {
  const { shouldKeepAlive } = response;
  response.shouldKeepAlive = false;
  request.once('resume', () => {
    if (response.headersSent) return; // refused: it is read only to be dropped
    response.shouldKeepAlive = shouldKeepAlive;
    response.writeContinue();
  });
}

/** Ends a connection on which nothing has moved for so long, unless an answer to it, or its next part, is being worked on. */
function endStalled(server: Server, connections: Connections, stalledMs: number): void {
  server.setTimeout(stalledMs, (socket) => {
    if (connections.owesMore(socket)) socket.setTimeout(stalledMs);
    else socket.destroy();
  });
}

function urlOf({ address, family, port }: AddressInfo): string {
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}

const REASONS: Record<string, string> = {
  EADDRINUSE: 'another program listens there; stop it or choose another port',
  EACCES: 'this user may not use that port; choose one above 1023',
  EADDRNOTAVAIL: 'this machine has no such address',
  ENOTFOUND: 'no machine of that name is known',
};

function reasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code ?? String(error);
  return REASONS[code] ?? code;
}
