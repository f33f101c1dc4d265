// A training in a process of its own: does the task that its parent sends, and says what happens. It ends with its task,
// and when its parent goes away.
import { DomainError } from '@atelier/domain';
import { performTask, type TaskObserver } from './task.ts';
import { type FromTraining, sentError, type ToTraining } from './messages.ts';

/** What an interrupted training may take to end by itself once nobody waits for it. */
const ORPHAN_MS = 10_000;

const interruption = new AbortController();
const interrupt = () => interruption.abort();
const abandon = () =>
  interruption.abort(new DomainError('training-crashed', 'The process that attended to the training ended.'));

// A terminal sends Ctrl-C to this process too; its parent decides what follows.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', interrupt);
process.once('disconnect', () => {
  abandon();
  setTimeout(() => process.exit(1), ORPHAN_MS).unref();
});
process.on('message', (message: ToTraining) => {
  if (message.kind === 'interrupt') interrupt();
  else void perform(message);
});

async function perform({ task }: Extract<ToTraining, { kind: 'start' }>): Promise<void> {
  const observer: TaskObserver = {
    signal: interruption.signal,
    onNotice: (message) => void send({ kind: 'notice', message }),
    onDownload: (progress) => void send({ kind: 'download', progress }),
    onRun: (run, directory) => void send({ kind: 'run', run, directory }),
    onProgress: (progress) => void send({ kind: 'progress', progress }),
    onEpoch: (report) => void send({ kind: 'epoch', report }),
  };
  const last: FromTraining = await performTask(task, observer).then(
    (result) => ({ kind: 'finished', result }),
    (error: unknown) => ({ kind: 'failed', error: sentError(error) }),
  );
  await send(last);
  process.exit(0); // whatever a native library keeps running
}

/** Resolves when the message is on its way, or when there is nobody to send it to. */
function send(message: FromTraining): Promise<void> {
  return new Promise((resolve) => {
    if (!process.connected || process.send === undefined) resolve();
    else process.send(message, undefined, {}, () => resolve());
  });
}
