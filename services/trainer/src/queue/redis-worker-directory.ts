import type { RedisConnection } from './redis-connection.ts';
import { AnnouncedWorker, type Announcement, type WorkerDirectory } from './worker-directory.ts';

const SILENCES = 3;

/** Each worker is a key that ends by itself, and a set names them all: a search through the keys of a shared Redis is slow. */
export class RedisWorkerDirectory implements WorkerDirectory {
  readonly #connection: RedisConnection;
  readonly #prefix: string;

  constructor(connection: RedisConnection, prefix: string) {
    this.#connection = connection;
    this.#prefix = prefix;
  }

  async announce(worker: AnnouncedWorker, everyMs: number): Promise<Announcement> {
    const words = JSON.stringify(worker);
    // An outage is reported by the connection, and the next time comes soon.
    const say = () => this.#say(worker.id, words, everyMs * SILENCES).catch(() => undefined);
    let last = say();
    const timer = setInterval(() => void (last = say()), everyMs);
    await last;
    return {
      close: async () => {
        clearInterval(timer);
        await last;
        await this.#connection.ask(() => this.#connection.client.del(this.#key(worker.id))).catch(() => undefined);
      },
    };
  }

  async workers(): Promise<AnnouncedWorker[]> {
    const { client } = this.#connection;
    return this.#connection.ask(async () => {
      const ids = (await client.smembers(this.#names)).sort();
      if (ids.length === 0) return [];
      const found = await client.mget(ids.map((id) => this.#key(id)));
      const gone = ids.filter((_id, index) => found[index] === null);
      if (gone.length > 0) await client.srem(this.#names, gone); // who comes back adds itself
      return found.flatMap((words) => (words === null ? [] : readWorker(words)));
    });
  }

  async #say(id: string, words: string, lifetimeMs: number): Promise<void> {
    const { client } = this.#connection;
    await this.#connection.ask(() =>
      client.multi().sadd(this.#names, id).set(this.#key(id), words, 'PX', lifetimeMs).exec(),
    );
  }

  get #names(): string {
    return `${this.#prefix}:workers`;
  }

  #key(id: string): string {
    return `${this.#prefix}:worker:${id}`;
  }
}

/** None where a worker of another version says something else. */
function readWorker(words: string): AnnouncedWorker[] {
  try {
    const { success, data } = AnnouncedWorker.safeParse(JSON.parse(words));
    return success ? [data] : [];
  } catch {
    return [];
  }
}
