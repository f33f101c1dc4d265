import { type ChildProcess, fork } from 'node:child_process';
import { setPriority } from 'node:os';
import { DomainError } from '@atelier/domain';
import { markCrashed, RunFolder } from '../runs/run-folder.ts';
import { isHeldByProcess } from '../runs/run-lock.ts';
import type { TrainingResult } from '../train.ts';
import { processEntries } from './entries.ts';
import { type FromTraining, receivedError, type ToTraining } from './messages.ts';
import type { TaskObserver, TrainingTask } from './task.ts';

/** The last message of a training. */
type Outcome = Extract<FromTraining, { kind: 'finished' | 'failed' }>;

export interface TrainingProcessOptions {
  /** A file descriptor for what the process writes. Default: standard error, since standard output is for results. */
  output?: number;
  /** What a training may take to end once it is interrupted, before it is killed, in ms. Default: as long as it likes. */
  graceMs?: number;
  /** As `nice` counts it: 0 is normal, 19 gives way to every other process. Default: 0. */
  niceness?: number;
}

/**
 * `performTask` in a process of its own, so that training never blocks this one and a crash of a native library ends
 * only that one. Rejects as `performTask` does, and with `training-crashed` when the process ends without a result; its
 * run then says `interrupted`, and can be resumed.
 */
export async function trainInProcess(
  task: TrainingTask,
  observer: TaskObserver = {},
  { output = process.stderr.fd, graceMs = Infinity, niceness = 0 }: TrainingProcessOptions = {},
): Promise<TrainingResult> {
  const entries = await processEntries();
  const child = fork(entries['training-child'], {
    execArgv: [],
    serialization: 'advanced',
    stdio: ['ignore', output, output, 'ipc'],
  });
  if (niceness !== 0 && child.pid !== undefined) setPriority(child.pid, niceness);
  const { signal } = observer;
  let directory: string | null = null;
  let outcome: Outcome | null = null;
  child.on('message', (message: FromTraining) => {
    if (message.kind === 'run') directory = message.directory;
    if (message.kind === 'finished' || message.kind === 'failed') outcome = message;
    else pass(message, observer);
  });
  let limit: NodeJS.Timeout | undefined;
  const interrupt = () => {
    tell(child, { kind: 'interrupt' });
    if (Number.isFinite(graceMs)) limit = setTimeout(() => child.kill('SIGKILL'), graceMs);
  };
  signal?.addEventListener('abort', interrupt);
  const killWithUs = () => {
    child.kill('SIGKILL');
    if (directory !== null && isHeldByProcess(directory, child.pid)) markCrashed(directory);
  };
  process.once('exit', killWithUs);
  tell(child, { kind: 'start', task });
  if (signal?.aborted) interrupt();

  try {
    const ending = await ended(child);
    if (outcome !== null) return resultOf(outcome);
    const interrupted = (signal?.aborted ?? false) || ending === 'SIGINT';
    const error = interrupted
      ? new DomainError('training-interrupted', `Interrupted; the training process ended by ${ending}.`)
      : new DomainError('training-crashed', `The training process ended by ${ending} without a result.`);
    if (directory !== null) await recordCrash(directory, error);
    throw error;
  } finally {
    clearTimeout(limit);
    signal?.removeEventListener('abort', interrupt);
    process.off('exit', killWithUs);
  }
}

function pass(message: Exclude<FromTraining, Outcome>, observer: TaskObserver): void {
  switch (message.kind) {
    case 'notice':
      return observer.onNotice?.(message.message);
    case 'download':
      return observer.onDownload?.(message.progress);
    case 'run':
      return observer.onRun?.(message.run, message.directory);
    case 'progress':
      return observer.onProgress?.(message.progress);
    case 'epoch':
      return observer.onEpoch?.(message.report);
  }
}

function resultOf(outcome: Outcome): TrainingResult {
  if (outcome.kind === 'finished') return outcome.result;
  throw receivedError(outcome.error);
}

/** A message to a process that has ended is for nobody; its end is reported by `ended`. */
function tell(child: ChildProcess, message: ToTraining): void {
  if (child.connected) child.send(message, () => undefined);
}

/** How the process ended, once all of its messages have come: "exit code 1", "SIGSEGV". */
async function ended(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
}

/** A process that crashed could not write this itself; the lock that it left counts for nothing. */
async function recordCrash(directory: string, { code, message }: DomainError): Promise<void> {
  const folder = await RunFolder.open(directory);
  try {
    if (folder.run.state !== 'running') return;
    await folder.end('interrupted', { code, message });
  } finally {
    await folder.release();
  }
}
