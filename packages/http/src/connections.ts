import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';

/** How often a closing server looks for connections that have become idle. */
const SWEEP_MS = 20;

/** The connections of a server, each with the answer that it waits for. */
export class Connections {
  readonly #server: Server;
  readonly #answers = new Map<Socket, ServerResponse | undefined>();
  /** When a connection opened or its last answer went out, in ms as `performance.now` counts them. */
  readonly #idleSince = new WeakMap<Socket, number>();
  readonly #lastRequests = new WeakMap<Socket, IncomingMessage>();
  #draining = false;

  constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket) => {
      this.#rest(socket);
      socket.once('close', () => this.#answers.delete(socket));
    });
    // Before the application's own listener, which may answer at once.
    server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
      const { socket } = request;
      this.#answers.set(socket, response);
      this.#lastRequests.set(socket, request);
      if (this.#draining) response.setHeader('Connection', 'close');
      response.once('close', () => {
        if (this.#answers.get(socket) === response) this.#rest(socket);
      });
    });
  }

  /**
   * Whether an answer on this connection has begun, or what comes there is still the body of a request that has been
   * answered: nothing else can be written there.
   */
  isAnswering(socket: Socket): boolean {
    const answer = this.#answers.get(socket);
    if (answer !== undefined) return answer.headersSent;
    return this.#lastRequests.get(socket)?.complete === false;
  }

  /** Whether a request has come on this connection whose answer is not whole, and whose client has read what there is of it. */
  owesMore(socket: Socket): boolean {
    const answer = this.#answers.get(socket);
    return answer !== undefined && !answer.writableEnded && answer.writableLength === 0;
  }

  /** The last request of which the headers have come on this connection. */
  lastRequestOn(socket: Socket): IncomingMessage | undefined {
    return this.#lastRequests.get(socket);
  }

  /** The answer that the last request on this connection waits for. */
  answerOn(socket: Socket): ServerResponse | undefined {
    return this.#answers.get(socket);
  }

  /**
   * Stops accepting, and resolves when the last connection has ended. Every answer from now on says
   * `Connection: close`; a connection without a request ends after `idleMs`, in which a client that has just read the
   * answer before can still send its next request. What is left after `graceMs` is cut off.
   */
  async drain(idleMs: number, graceMs: number): Promise<void> {
    this.#draining = true;
    for (const answer of this.#answers.values()) {
      if (answer?.headersSent === false) answer.setHeader('Connection', 'close');
    }
    const started = performance.now();
    const sweep = setInterval(() => this.#endIdle(Math.max(0, performance.now() - idleMs), started), SWEEP_MS);
    const limit = setTimeout(() => this.#server.closeAllConnections(), graceMs);
    // Not `Server.close` of node:http: that destroys idle connections at once, and with them requests just sent.
    await new Promise((resolve) => NetServer.prototype.close.call(this.#server, resolve));
    clearInterval(sweep);
    clearTimeout(limit);
    this.#server.close(() => undefined); // clears the timer by which node:http looks for requests that take too long
  }

  #rest(socket: Socket): void {
    this.#answers.set(socket, undefined);
    this.#idleSince.set(socket, performance.now());
  }

  /** Ends what has been idle since before `deadline`, counted from the start of the draining at the earliest. */
  #endIdle(deadline: number, drainingSince: number): void {
    for (const [socket, answer] of this.#answers) {
      const since = Math.max(this.#idleSince.get(socket) ?? 0, drainingSince);
      if (answer === undefined && since <= deadline) socket.destroySoon();
    }
  }
}
