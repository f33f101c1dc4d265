// The compute process: everything native that works on a client's bytes. It decodes pictures on its own thread pool and
// has a thread for each engine. When a native library crashes or hangs, this process dies or is killed, and the service,
// which is another one, answers the requests concerned and starts the next.
import { Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { messageOf } from '@atelier/domain';
import { decodeFile, restrictDecoders } from '../image/decode-file.ts';
import { DecodeSlots } from '../image/decode-slots.ts';
import { type ComputeTask, DECODER_FD } from './compute-task.ts';
import type { EngineTask } from './engine-thread.ts';
import { failedAnswer } from './failed-answer.ts';
import { readFrames, writeFrame } from './frames.ts';
import type { Answer, ToDecoder } from './messages.ts';

/** How long the engines may take to release their models when the service is gone. */
const LEAVE_LIMIT_MS = 3_000;

/** How many answers go out together at most, how long one waits for others, in ms, and how many must be in work for that. */
const ANSWERS_TOGETHER = 8;
const ANSWER_WAIT_MS = 4;
const IN_WORK = 4;

const { engineEntry, runtime, engines, decoders } = JSON.parse(process.argv[2] ?? '{}') as ComputeTask;

// A terminal's Ctrl-C reaches this process, too; the service decides when it ends.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

for (let engine = 0; engine < engines; engine++) {
  const workerData: EngineTask = { fd: DECODER_FD + 1 + engine, runtime };
  const thread = new Worker(engineEntry, { workerData, execArgv: [] });
  // Never terminated: an engine that is interrupted while it runs aborts the process anyway.
  thread.once('error', (error) => {
    process.stderr.write(`engine ${engine}: ${messageOf(error)}\n`);
    process.exit(1);
  });
}

restrictDecoders();
const slots = new DecodeSlots(decoders);
const pipe = new Socket({ fd: DECODER_FD });
readFrames<ToDecoder>(pipe, ({ head, bytes }) => {
  if (head.kind === 'ping') send({ id: head.id, kind: 'done' });
  else void decode(head, bytes);
});
// The service closes it when the engines have ended; or it has died, and the engines see the same of theirs. One that hangs
// sees nothing, and must not outlive the service either.
pipe.on('end', leave).on('error', leave);

function leave(): void {
  pipe.end();
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), LEAVE_LIMIT_MS).unref();
}

/** Pictures in work, and answers that wait for others. */
let inWork = 0;
let held = 0;
let release: NodeJS.Timeout | undefined;

async function decode(question: Extract<ToDecoder, { kind: 'decode' }>, bytes: Uint8Array): Promise<void> {
  const { id, options, ...limits } = question;
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  inWork++;
  try {
    const { image, pixels, facts } = await decodeFile(file, limits, options, slots);
    inWork--;
    send({ id, kind: 'done', pixels, facts }, image);
  } catch (error) {
    inWork--;
    send(failedAnswer(id, error));
  }
}

/**
 * Small pictures take half as long as the system calls around them, so that answers go out some together while there are
 * more to come; and so, on the other side, do the questions that take their places.
 */
function send(message: Answer, bytes?: Uint8Array): void {
  if (pipe.destroyed) return;
  if (held++ === 0) pipe.cork();
  writeFrame(pipe, message, bytes);
  if (inWork < IN_WORK || held === ANSWERS_TOGETHER) sendHeld();
  else release ??= setTimeout(sendHeld, ANSWER_WAIT_MS);
}

function sendHeld(): void {
  clearTimeout(release);
  release = undefined;
  held = 0;
  pipe.uncork();
}
