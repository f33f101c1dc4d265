import { DomainError, messageOf } from '@atelier/domain';
import { Redis } from 'ioredis';
import { type ClientOptions, parseRedisUrl, type RedisAddress } from './redis-address.ts';

/** How long a question waits for its answer, the time to get a connection included. */
const ANSWER_LIMIT_MS = 2000;

/** Clients that end together. */
export interface RedisClients {
  readonly client: Redis;
  readonly end: () => void;
}

/** A Redis that may be away for a while: its absence fails questions soon, and ends nothing. */
export class RedisConnection {
  /** For questions. While Redis is away nothing is kept for later, as the caller has been told that it failed. */
  readonly client: Redis;
  readonly #clients: RedisClients;
  readonly #address: RedisAddress;
  readonly #onFault: (message: string) => void;
  /** The clients without a connection and what they say about it; an outage lasts while there are any. */
  readonly #lost = new Map<Redis, string>();
  readonly #reported = new Set<string>();
  #ready: Promise<void> | null = null;

  /** Starts to connect. `onFault` hears of each outage once, and once of any other failure in the same words. */
  constructor(url: string, onFault: (message: string) => void) {
    this.#address = parseRedisUrl(url);
    this.#onFault = onFault;
    this.#clients = this.open({
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
    });
    this.client = this.#clients.client;
  }

  /** More clients of the same Redis, which come back by themselves: the first one and those that are duplicated from it. */
  open(options: ClientOptions): RedisClients {
    const clients: Redis[] = [];
    const openOne = (more: ClientOptions = {}): Redis => {
      const client = new Redis({
        ...this.#address.options,
        connectTimeout: ANSWER_LIMIT_MS,
        retryStrategy,
        ...options,
        ...more,
      });
      client.on('error', (error: Error) => this.#lose(client, error));
      client.on('ready', () => this.#lost.delete(client));
      client.on('end', () => this.#lost.delete(client));
      client.duplicate = openOne;
      clients.push(client);
      return client;
    };
    return { client: openOne(), end: () => clients.forEach(endClient) };
  }

  /** The answer of Redis to what `question` asks by `client`; `queue-unavailable` when it does not come in time. */
  async ask<Answer>(question: () => Promise<Answer>): Promise<Answer> {
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<never>((_resolve, reject) => {
      const late = () => reject(new Error(this.#lost.get(this.client) ?? `no answer within ${ANSWER_LIMIT_MS} ms`));
      timer = setTimeout(late, ANSWER_LIMIT_MS);
    });
    try {
      await Promise.race([this.#untilReady(), limit]);
      return await Promise.race([question(), limit]);
    } catch (error) {
      // Not as `cause`: ioredis hangs the command that failed on its errors, and that may be the one with the password.
      const message = `The queue in Redis at ${this.#address.name} cannot be used: ${this.#describe(error)}.`;
      throw new DomainError('queue-unavailable', message);
    } finally {
      clearTimeout(timer);
    }
  }

  /** For what fails without a caller. In an outage that is a consequence of it, or the outage said a second time. */
  report(error: unknown): void {
    const message = this.#describe(error);
    if (this.#lost.size > 0 || this.#reported.has(message)) return;
    this.#reported.add(message);
    this.#onFault(`Redis at ${this.#address.name}: ${message}.`);
  }

  close(): void {
    this.#clients.end();
  }

  #lose(client: Redis, error: Error): void {
    const first = this.#lost.size === 0;
    this.#lost.set(client, this.#describe(error));
    if (first) this.#onFault(`Redis at ${this.#address.name} cannot be reached: ${this.#describe(error)}.`);
  }

  /** One listener for all that wait. */
  async #untilReady(): Promise<void> {
    if (this.client.status === 'ready') return;
    this.#ready ??= new Promise((resolve) => {
      this.client.once('ready', () => {
        this.#ready = null;
        resolve();
      });
    });
    await this.#ready;
  }

  /** A Redis before version 6 repeats a greeting that it does not know, and with it the password. */
  #describe(error: unknown): string {
    const { code = 'unknown failure' } = error as { code?: string };
    const message = messageOf(error) || code; // Node leaves it empty where a host has several addresses
    return this.#address.password === '' ? message : message.replaceAll(this.#address.password, '***');
  }
}

function retryStrategy(attempt: number): number {
  return Math.min(attempt * 100, 1000);
}

/**
 * ioredis leaves a client that is disconnected between two attempts where it is, and BullMQ waits for its `end` for good:
 * one more attempt, after which none follows, brings it there.
 */
function endClient(client: Redis): void {
  client.disconnect();
  if (client.status === 'reconnecting') client.connect().catch(() => undefined);
}
