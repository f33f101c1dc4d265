import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '../free-port.ts';

/** What is started, by its path as JavaScript, and how it is told its port. */
export interface ServerProgram {
  entry: () => Promise<string>;
  words: (port: number) => string[] | Promise<string[]>;
  environment: (port: number) => Record<string, string>;
  /** Answers 200 once the server can do its work. */
  readyPath: string;
  /** That take connections in turn, each of which has to be ready. Default: 1. */
  processes?: number;
}

export interface RunningServer {
  port: number;
  pid: number;
  /** From before the process was started to the first 200 of its ready path. */
  readyMs: number;
}

const LIMIT_MS = 30_000;
const POLL_MS = 5;

/** Starts a server, measures, and stops it by SIGTERM; one that does not end with exit code 0 is an error. */
export async function withServer<T>(
  program: ServerProgram,
  measure: (server: RunningServer) => Promise<T>,
): Promise<T> {
  const port = await freePort();
  const words = [await program.entry(), ...(await program.words(port))];
  const started = performance.now();
  const child = spawn(process.execPath, words, {
    env: { ...process.env, NODE_ENV: 'production', LOG_LEVEL: 'info', ...program.environment(port) },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'], // the log goes to /dev/null; the channel ends the child with us
  });
  const ended = once(child, 'exit').then(([code, signal]) => (signal ?? code) as NodeJS.Signals | number);
  const endedEarly = ended.then((end) => Promise.reject(badEnd(end)));
  endedEarly.catch(() => undefined); // of interest only until it is asked to end
  const measured = async () => {
    await becomesReady(port, program.readyPath, program.processes);
    return measure({ port, pid: child.pid ?? 0, readyMs: performance.now() - started });
  };
  const result = await Promise.race([measured(), endedEarly]).finally(async () => {
    child.kill('SIGTERM');
    const kill = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS);
    await ended;
    clearTimeout(kill);
  });
  const end = await ended;
  if (end === 0) return result;
  throw badEnd(end);
}

function badEnd(end: NodeJS.Signals | number): Error {
  return new Error(`The server ended by ${typeof end === 'number' ? `exit code ${end}` : end}.`);
}

async function becomesReady(port: number, path: string, processes = 1): Promise<void> {
  const deadline = performance.now() + LIMIT_MS;
  for (let inTurn = 0; inTurn < processes;) {
    if ((await statusOf(port, path)) === 200) {
      inTurn++;
      continue;
    }
    if (performance.now() > deadline) throw new Error(`Not ready after ${LIMIT_MS} ms.`);
    inTurn = 0;
    await pause(POLL_MS);
  }
}

/** Null while nobody listens. */
async function statusOf(port: number, path: string): Promise<number | null> {
  try {
    const request = get({ host: '127.0.0.1', port, path, agent: false });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    response.resume();
    return response.statusCode ?? null;
  } catch {
    return null;
  }
}
