import { connect, type Socket } from 'node:net';
import { type Answer, AnswerParser, endsConnection } from './answer-parser.ts';

/**
 * What became of a request. `lost`: the connection ended without a byte of an answer; `short`: within it, or what came
 * was no answer; `hung`: nothing came in time; `left`: we went away before it came, as was wanted.
 */
export type Outcome = Answer | 'lost' | 'short' | 'hung' | 'left';

/** A server may be closing what has been idle longer (Node: 5 s); a request sent into that would count as lost. */
const IDLE_LIMIT_MS = 3_000;

/** One connection that is kept alive, with one request on it at a time; opened anew when it has ended. */
export class Connection {
  readonly #port: number;
  #socket: Socket | undefined;
  #sentAt = 0;
  #settle: ((outcome: Outcome) => void) | undefined;

  constructor(port: number) {
    this.#port = port;
  }

  /** Calls `settle` once, never before it returns. `leaveAfterMs`: go away after that time, answered or not. */
  request(bytes: Buffer, settle: (outcome: Outcome) => void, leaveAfterMs?: number): void {
    const now = performance.now();
    if (now - this.#sentAt > IDLE_LIMIT_MS) this.close();
    this.#socket ??= this.#open();
    this.#sentAt = now;
    this.#settle = settle;
    this.#socket.write(bytes);
    if (leaveAfterMs === undefined) return;
    setTimeout(() => {
      if (this.#settle === settle) this.#finish('left');
    }, leaveAfterMs);
  }

  /** Gives up what was sent more than `limitMs` ago. */
  expire(limitMs: number): void {
    if (this.#settle !== undefined && performance.now() - this.#sentAt > limitMs) this.#finish('hung');
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  #open(): Socket {
    const socket = connect({ port: this.#port, host: '127.0.0.1', noDelay: true });
    const parser = new AnswerParser();
    const answersIn = (chunk: Buffer) => {
      try {
        return parser.push(chunk);
      } catch {
        return null; // no HTTP, or nothing whose end can be known
      }
    };
    const broken = () => {
      if (this.#socket === socket) this.#finish(parser.isWithinAnswer ? 'short' : 'lost');
    };
    socket.on('data', (chunk) => {
      if (this.#socket !== socket) return;
      const answers = answersIn(chunk);
      if (answers === null) this.#finish('short');
      else for (const answer of answers) this.#finish(answer);
    });
    socket.on('end', broken);
    socket.on('error', broken);
    socket.on('close', broken);
    return socket;
  }

  #finish(outcome: Outcome): void {
    if (typeof outcome === 'string' || endsConnection(outcome)) this.close();
    const settle = this.#settle;
    this.#settle = undefined;
    if (settle === undefined && typeof outcome !== 'string') throw new Error('An answer that nobody asked for came.');
    settle?.(outcome);
  }
}
