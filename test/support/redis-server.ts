import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Redis } from 'ioredis';
import { freePort } from '../../scripts/bench/free-port.ts';
import { type RedisProgram, redisProgram } from './redis-program.ts';
import { temporaryFolder } from './temporary-folder.ts';

const START_LIMIT_MS = 10_000;

/** A Redis of a test's own, which keeps nothing; `url` stays the same when it is stopped and started again. */
export class RedisServer {
  readonly port: number;
  readonly password: string;
  readonly #program: RedisProgram;
  readonly #folder: Awaited<ReturnType<typeof temporaryFolder>>;
  #process: ChildProcess | null = null;

  private constructor(
    port: number,
    password: string,
    program: RedisProgram,
    folder: Awaited<ReturnType<typeof temporaryFolder>>,
  ) {
    this.port = port;
    this.password = password;
    this.#program = program;
    this.#folder = folder;
  }

  /** Starts one on a free port of this machine. An empty password is none. */
  static async start(password = '', program?: RedisProgram): Promise<RedisServer> {
    const found = program ?? (await redisProgram());
    const server = new RedisServer(await freePort(), password, found, await temporaryFolder());
    await server.start();
    return server;
  }

  get url(): string {
    const user = this.password === '' ? '' : `:${encodeURIComponent(this.password)}@`;
    return `redis://${user}127.0.0.1:${this.port}`;
  }

  /** Again, on the same port, with nothing in it. */
  async start(): Promise<void> {
    const words = ['--port', String(this.port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
    if (this.password !== '') words.push('--requirepass', this.password);
    const child = spawn(this.#program.path, words, {
      cwd: this.#folder.path,
      env: { ...process.env, ...this.#program.environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#process = child;
    let timer: NodeJS.Timeout | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        let said = '';
        const fail = (reason: string) => reject(new Error(`${this.#program.path} ${reason}:\n${said}`));
        const hear = (data: Buffer) => {
          said += data.toString();
          if (said.includes('Ready to accept connections')) resolve();
        };
        child.stdout.on('data', hear);
        child.stderr.on('data', hear);
        child.once('error', (error) => fail(`did not start, ${error.message}`));
        child.once('close', (code, signal) => fail(`ended by ${signal ?? code}`));
        timer = setTimeout(() => fail(`was not ready within ${START_LIMIT_MS} ms`), START_LIMIT_MS);
      });
    } catch (error) {
      await this.stop();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Without a word, as a machine that goes off. */
  async stop(): Promise<void> {
    const child = this.#process;
    this.#process = null;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  /** It keeps its connections and answers nothing, as a machine that has stalled. */
  pause(): void {
    this.#process?.kill('SIGSTOP');
  }

  goOn(): void {
    this.#process?.kill('SIGCONT');
  }

  async close(): Promise<void> {
    await this.stop();
    await this.#folder.remove();
  }
}

/** The Redis that REDIS_URL names, or one of the test's own. Tests keep apart by prefixes of their keys, removed by `clean`. */
export async function redisForTests(): Promise<{
  url: string;
  clean(prefix: string): Promise<void>;
  close(): Promise<void>;
}> {
  const given = process.env['REDIS_URL'];
  const own = given === undefined || given === '' ? await RedisServer.start() : null;
  const url = own?.url ?? given ?? '';
  return { url, clean: (prefix) => removeKeys(url, prefix), close: async () => own?.close() };
}

async function removeKeys(url: string, prefix: string): Promise<void> {
  const client = new Redis(url);
  try {
    for (const key of await client.keys(`${prefix}:*`)) await client.del(key);
  } finally {
    client.disconnect();
  }
}
