import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Duplex, Readable } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { DomainError, messageOf } from '@atelier/domain';
import { type Log, RetryLater } from '@atelier/http';
import { installedRuntime } from './provider-libraries.ts';
import { Channel } from './channel.ts';
import type { ComputeTask } from './compute-task.ts';
import { waitedForCoreMs } from './core-wait.ts';
import { computeEntries } from './entries.ts';

export interface ComputeProcessOptions {
  /** Engine threads. */
  engines: number;
  /** Pictures decoded at a time. */
  decoders: number;
  log: Log;
  /** How long the decoder's thread may take to answer a ping, in ms that it had a core or wanted none, before the process counts as stuck. */
  stuckMs: number;
  /** How long it may take until it answers anything, in ms. Default: half a minute. */
  startLimitMs?: number;
  /** Another program than the project's own, for tests; it speaks the same messages on the same descriptors. */
  entry?: string;
}

/** How long the process may take to end once it has been asked to, before it is killed. */
const CLOSE_LIMIT_MS = 3_000;

const START_LIMIT_MS = 30_000;

/** Of what a native library prints, in characters. */
const LONGEST_LINE = 1_000;

/** What a caller can wait before it comes back. */
const RESTART_SECONDS = 1;

/** One life of the compute process. */
export interface ComputeProcess {
  readonly pid: number | undefined;
  readonly engines: readonly Channel[];
  readonly decoder: Channel;
  /** Resolves when it has ended, with the reason unless `close` asked for it. Questions without an answer are `engine-lost`. */
  readonly ended: Promise<Error | undefined>;
  /** Lets it answer what it has, release its models and end. */
  close(): Promise<void>;
  /** Ends it whatever it is doing: only a process can be ended in the middle of a native call. */
  kill(reason: string): void;
}

export async function startComputeProcess(options: ComputeProcessOptions): Promise<ComputeProcess> {
  const entries = await computeEntries();
  const { engines: count, decoders, log, entry = entries['compute-main'] } = options;
  const { stuckMs: limitMs, startLimitMs = START_LIMIT_MS } = options;
  const task: ComputeTask = {
    engineEntry: entries['engine-thread'],
    runtime: installedRuntime(),
    engines: count,
    decoders,
  };
  const child = spawn(process.execPath, [entry, JSON.stringify(task)], {
    stdio: ['ignore', 'pipe', 'pipe', ...Array.from({ length: count + 1 }, () => 'pipe' as const)],
    env: environmentFor(decoders),
  });
  await once(child, 'spawn');
  for (const stream of [child.stdout, child.stderr]) if (stream !== null) logPrinted(stream, child.pid, log);
  let killed: string | undefined;
  let closing = false;
  const kill = (reason: string) => {
    killed ??= reason;
    child.kill('SIGKILL');
  };
  const pipe = (place: number) => child.stdio[place] as Duplex;
  // A picture may take long, but on other threads than the one that answers: without pings nobody would see that it hangs.
  const decoder = new Channel(pipe(3), kill, {
    limitMs,
    startLimitMs,
    waitedMs: () => waitedForCoreMs(child.pid ?? 0),
  });
  const engines = Array.from({ length: count }, (_, engine) => new Channel(pipe(4 + engine), kill));
  const killWithUs = () => child.kill('SIGKILL');
  process.once('exit', killWithUs);
  const ended = endOf(child).then((ending) => {
    process.off('exit', killWithUs);
    const reason = closing && killed === undefined ? undefined : new Error(killed ?? `It ended by ${ending}.`);
    const lost = new RetryLater('engine-lost', 'The engine died over this request; another starts.', RESTART_SECONDS);
    for (const channel of [decoder, ...engines]) channel.fail(lost);
    return reason;
  });
  return {
    pid: child.pid,
    engines,
    decoder,
    ended,
    kill,
    async close() {
      closing = true;
      const limit = setTimeout(() => kill('it did not end when it was asked to'), CLOSE_LIMIT_MS);
      await Promise.all(engines.map((engine) => engine.ask({ kind: 'close' }, undefined, CLOSE_LIMIT_MS))).catch(
        (error: unknown) => log.warn(`An engine did not release its models: ${messageOf(error)}`),
      );
      pipe(3).end();
      const reason = await ended;
      clearTimeout(limit);
      if (reason !== undefined) throw new DomainError('engine-fault', `The compute process: ${reason.message}`);
    },
  };
}

/** Settings and keys of ours, which a program that reads strangers' pictures has no business to know. */
const OURS = /^(INFERENCE_|TRAINER_|OTEL_|QUEUE_URL$|NODE_OPTIONS$)/;

/**
 * The runtime reads the first when its library loads. CUDA's libraries read the second: else they round the factors of a
 * product to TF32, 10 bits of mantissa, and onnxruntime-node has no option against it. libuv's pool decodes pictures, and has nothing else to do but now
 * and then a file: one thread more than large pictures may occupy, so that small ones go on, and no more, because they
 * wait for each other's locks (docs/adr/0021). glibc would keep freed pictures in an arena for each thread.
 */
function environmentFor(decoders: number): NodeJS.ProcessEnv {
  return {
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !OURS.test(name))),
    ORT_DISABLE_TELEMETRY: '1',
    NVIDIA_TF32_OVERRIDE: process.env['NVIDIA_TF32_OVERRIDE'] ?? '0',
    UV_THREADPOOL_SIZE: String(decoders + 1),
    MALLOC_ARENA_MAX: String(decoders + 2),
  };
}

/** Native libraries print what they want: each line of it becomes one of the log. */
function logPrinted(stream: Readable, pid: number | undefined, log: Log): void {
  createInterface({ input: stream }).on('line', (line) => {
    const words = stripVTControlCharacters(line).trim().slice(0, LONGEST_LINE);
    if (words !== '') log.warn({ pid }, `The compute process printed: ${words}`);
  });
}

async function endOf(child: ChildProcess): Promise<string> {
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  return signal ?? `exit code ${code}`;
}
