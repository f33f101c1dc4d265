import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { RetryLater } from './retry-later.ts';

/** What a client can wait before it comes back: bodies come and go in less. */
const RETRY_SECONDS = 1;

/**
 * How many bytes of bodies a service holds, of all connections of all its servers together. Without it as many times the
 * largest body could be held as there are connections.
 */
export class BodyBudget {
  readonly maximumBytes: number;
  held = 0;

  constructor(maximumBytes: number) {
    this.maximumBytes = maximumBytes;
  }
}

/** Which budget the bodies on a connection come out of, and for which answer the last of them waits. */
interface Account {
  budget: BodyBudget;
  answerOn: (socket: Socket) => ServerResponse | undefined;
}

const ACCOUNTS = new WeakMap<Socket, Account>();

/** The bodies that come to `server` come out of `budget`, from their arrival until they are answered. */
export function limitBodies(server: Server, budget: BodyBudget, answerOn: Account['answerOn']): void {
  const account = { budget, answerOn };
  server.on('connection', (socket) => ACCOUNTS.set(socket, account));
}

/**
 * One request's part of the budget. Bytes count as they come and not as they are announced, so that who announces much and
 * sends little takes nothing from others. A body that comes where nothing is held is let in, however large.
 */
export class BodyLease {
  readonly #budget: BodyBudget;
  #bytes = 0;
  #hasEnded = false;

  constructor(budget: BodyBudget) {
    this.#budget = budget;
  }

  /** Undefined where nobody limits the bodies, such as in an application without a server of ours. */
  static of({ socket }: IncomingMessage): BodyLease | undefined {
    const account = ACCOUNTS.get(socket);
    if (account === undefined) return undefined;
    const lease = new BodyLease(account.budget);
    account.answerOn(socket)?.once('close', () => lease.end());
    return lease;
  }

  /** Throws `overloaded` where there is no room for `bytes` more. */
  check(bytes: number): void {
    const { held, maximumBytes } = this.#budget;
    if (held === this.#bytes || held + bytes <= maximumBytes) return;
    throw new RetryLater(
      'overloaded',
      `Bodies of ${held} bytes are held; at most ${maximumBytes} are taken together.`,
      RETRY_SECONDS,
    );
  }

  /** The same, and counts them; after the end nobody would give them back, and they are not counted. */
  take(bytes: number): void {
    this.check(bytes);
    if (this.#hasEnded) return;
    this.#bytes += bytes;
    this.#budget.held += bytes;
  }

  /** Gives some of them back; after the end all have been. */
  giveBack(bytes: number): void {
    if (this.#hasEnded) return;
    this.#bytes -= bytes;
    this.#budget.held -= bytes;
  }

  /** Gives all of them back; idempotent. */
  end(): void {
    this.#budget.held -= this.#bytes;
    this.#bytes = 0;
    this.#hasEnded = true;
  }
}
