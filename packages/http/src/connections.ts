import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';

/** How often a closing server looks for connections that have become idle. */
const SWEEP_MS = 20;

/** So many requests of a connection may wait before no more of it is read. */
const MOST_WAITING = 4;

interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
}

interface Connection {
  /** What is being answered, until the last byte of the answer is out; undefined while there is nothing. */
  answer: ServerResponse | undefined;
  /** Requests that have come meanwhile, the first of them first. */
  waiting: Exchange[];
  /** Whose headers have come last. */
  lastRequest: IncomingMessage | undefined;
  /** When it opened or its last answer went out, in ms as `performance.now` counts them. */
  idleSince: number;
}

/**
 * The connections of a server, each with the answer that it waits for. Requests that come on one connection before the
 * answer to the first (pipelining) are begun one after the other, as RFC 9112, section 9.3.2 has it for methods that
 * are not safe: else one client would fill the queue that is for all.
 */
export class Connections {
  readonly #server: Server;
  readonly #listener: RequestListener;
  readonly #connections = new Map<Socket, Connection>();
  #draining = false;

  /** `listener` is given the requests, in turn. */
  constructor(server: Server, listener: RequestListener) {
    this.#server = server;
    this.#listener = listener;
    server.on('connection', (socket) => {
      const idleSince = performance.now();
      const connection: Connection = { answer: undefined, waiting: [], lastRequest: undefined, idleSince };
      this.#connections.set(socket, connection);
      socket.once('close', () => this.#connections.delete(socket));
      socket.on('resume', () => holdBack(socket, connection)); // Node's, behind the end of each request
    });
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      const { socket } = request;
      const connection = this.#connections.get(socket);
      if (connection === undefined || !socket.writable) return; // nothing more can be answered there
      connection.lastRequest = request;
      if (connection.answer === undefined) this.#begin(connection, { request, response });
      else {
        connection.waiting.push({ request, response });
        process.nextTick(holdBack, socket, connection); // not at once: it may have a body, at whose end Node reads on
      }
    });
  }

  /**
   * Whether an answer on this connection has begun, or what comes there is still the body of a request that has been
   * answered: nothing else can be written there.
   */
  isAnswering(socket: Socket): boolean {
    const { answer, lastRequest } = this.#connections.get(socket) ?? {};
    return answer === undefined ? lastRequest?.complete === false : answer.headersSent;
  }

  /** Whether a request has come on this connection whose answer is not whole, and whose client has read what there is of it. */
  owesMore(socket: Socket): boolean {
    const answer = this.answerOn(socket);
    return answer !== undefined && !answer.writableEnded && answer.writableLength === 0;
  }

  /** The last request of which the headers have come on this connection. */
  lastRequestOn(socket: Socket): IncomingMessage | undefined {
    return this.#connections.get(socket)?.lastRequest;
  }

  /** The answer that is being worked on, or written, on this connection. */
  answerOn(socket: Socket): ServerResponse | undefined {
    return this.#connections.get(socket)?.answer;
  }

  /**
   * Stops accepting, and resolves when the last connection has ended. The last answer of each from now on says
   * `Connection: close`; a connection without a request ends after `idleMs`, in which a client that has just read the
   * answer before can still send its next request. What is left after `graceMs` is cut off.
   */
  async drain(idleMs: number, graceMs: number): Promise<void> {
    this.#draining = true;
    for (const connection of this.#connections.values()) sayWhetherLast(connection);
    const started = performance.now();
    const sweep = setInterval(() => this.#endIdle(Math.max(0, performance.now() - idleMs), started), SWEEP_MS);
    const limit = setTimeout(() => this.#server.closeAllConnections(), graceMs);
    // Not `Server.close` of node:http: that destroys idle connections at once, and with them requests just sent.
    await new Promise((resolve) => NetServer.prototype.close.call(this.#server, resolve));
    clearInterval(sweep);
    clearTimeout(limit);
    this.#server.close(() => undefined); // clears the timer by which node:http looks for requests that take too long
  }

  #begin(connection: Connection, { request, response }: Exchange): void {
    connection.answer = response;
    if (this.#draining) sayWhetherLast(connection);
    response.once('close', () => this.#goOn(connection, request.socket));
    this.#listener(request, response);
  }

  /** The answer is out: it is the turn of what came next, unless the connection ends with that answer. */
  #goOn(connection: Connection, socket: Socket): void {
    connection.answer = undefined;
    connection.idleSince = performance.now();
    const next = connection.waiting.shift();
    if (next === undefined || !socket.writable) return;
    if (connection.waiting.length === MOST_WAITING - 1) readOn(socket);
    this.#begin(connection, next);
  }

  /** Ends what has been idle since before `deadline`, counted from the start of the draining at the earliest. */
  #endIdle(deadline: number, drainingSince: number): void {
    for (const [socket, { answer, idleSince }] of this.#connections) {
      if (answer === undefined && Math.max(idleSince, drainingSince) <= deadline) socket.destroySoon();
    }
  }
}

/** While the server is closing: lets the client know where nothing more is answered. */
function sayWhetherLast({ answer, waiting }: Connection): void {
  if (answer?.headersSent === false && waiting.length === 0) answer.setHeader('Connection', 'close');
}

/**
 * Stops reading where enough waits: what else comes is left to the network. Not before, because of a connection that is
 * not read nobody knows that its client has left.
 */
function holdBack(socket: Socket, { waiting }: Connection): void {
  if (waiting.length < MOST_WAITING) return;
  // A `resume` that is still on its way makes a paused socket read all the same, and another `pause` would change nothing.
  if (socket.readableFlowing === false) socket.emit('pause');
  else socket.pause();
}

/** Takes that back, but not a pause of Node's: it reads no more from who does not read, and goes on at the same event. */
function readOn(socket: Socket): void {
  if (socket.writableNeedDrain) socket.once('drain', () => socket.resume());
  else socket.resume();
}
