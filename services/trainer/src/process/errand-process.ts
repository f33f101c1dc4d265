import { fork } from 'node:child_process';
import { once } from 'node:events';
import { processEntries } from './entries.ts';
import type { Errand, ErrandResult, ErrandTask } from './errands.ts';
import { receivedError, type SentError } from './messages.ts';

export interface ErrandMessage {
  name: Errand;
  task: unknown;
}
export type ErrandReply = { result: unknown } | { error: SentError };

const LIMIT_MS = 120_000;

/**
 * Does an errand in a process of its own. Rejects as the errand does, and when its process ends without an answer. Where it is
 * quiet, nobody sees what native libraries print.
 */
export async function runErrand<Name extends Errand>(
  name: Name,
  task: ErrandTask<Name>,
  { isQuiet = false } = {},
): Promise<ErrandResult<Name>> {
  await place();
  try {
    return await runInChild(name, task, isQuiet);
  } finally {
    giveBack();
  }
}

/** Errands that may run at the same time, whoever asks for however many. */
const PLACES = 2;
let taken = 0;
const waiting: (() => void)[] = [];

async function place(): Promise<void> {
  if (taken < PLACES) taken++;
  else await new Promise<void>((resolve) => waiting.push(resolve));
}

function giveBack(): void {
  const next = waiting.shift();
  if (next === undefined) taken--;
  else next();
}

async function runInChild<Name extends Errand>(
  name: Name,
  task: ErrandTask<Name>,
  isQuiet: boolean,
): Promise<ErrandResult<Name>> {
  const entries = await processEntries();
  const child = fork(entries['errand-child'], {
    execArgv: [],
    serialization: 'advanced',
    stdio: isQuiet ? ['ignore', 'ignore', 'ignore', 'ipc'] : ['ignore', process.stderr, 'inherit', 'ipc'],
  });
  const limit = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS);
  let reply: ErrandReply | null = null;
  child.on('message', (message: ErrandReply) => (reply = message));
  child.send({ name, task } satisfies ErrandMessage, () => undefined); // that it could not be sent shows by its end
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  clearTimeout(limit);
  return resultOf(reply) as ErrandResult<Name>;

  function resultOf(received: ErrandReply | null): unknown {
    if (received === null) throw new Error(`The process for "${name}" ended by ${signal ?? `exit code ${code}`}.`);
    if ('error' in received) throw receivedError(received.error);
    return received.result;
  }
}
