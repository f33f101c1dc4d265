// The bulk process: unpacks and decodes the files of evaluations, many in one message, and draws their reports. It decodes as the
// compute process does, behind it: at the lowest priority that the system gives, and where a file that crashes a library takes nobody
// with it who waits for an answer.
import { Socket } from 'node:net';
import { constants, setPriority } from 'node:os';
import { DomainError } from '@atelier/domain';
import type { EvaluationReport } from '@atelier/evaluation';
import { undecodable } from '../image/header.ts';
import type { DecodedHead, PackedHead, ToBulkDecoder } from './bulk-messages.ts';
import { type ComputeTask, DECODER_FD } from './compute-task.ts';
import { packedDecoder } from './decode-packed.ts';
import { failedAnswer } from './failed-answer.ts';
import { readFrames, writeFrame } from './frames.ts';

/** How long a picture in work may take when the service is gone. */
const LEAVE_LIMIT_MS = 3_000;

const { decoders } = JSON.parse(process.argv[2] ?? '{}') as ComputeTask;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

// Before the threads that decode: they start as their starter is.
setPriority(constants.priority.PRIORITY_LOW);

const decode = packedDecoder(decoders);
const pipe = new Socket({ fd: DECODER_FD });
readFrames<ToBulkDecoder>(pipe, ({ head, bytes }) => {
  if (head.kind === 'ping') writeFrame(pipe, { id: head.id, kind: 'done' });
  else if (head.kind === 'page') void page(head.id, bytes);
  else void decodeAll(head, bytes);
});
pipe.on('end', leave).on('error', leave);

function leave(): void {
  pipe.end();
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), LEAVE_LIMIT_MS).unref();
}

async function page(id: number, report: Uint8Array): Promise<void> {
  try {
    const { reportPage } = await import('@atelier/evaluation');
    const html = await reportPage(JSON.parse(new TextDecoder().decode(report)) as EvaluationReport);
    writeFrame(pipe, { id, kind: 'done' }, Buffer.from(html));
  } catch (error) {
    writeFrame(pipe, failedAnswer(id, error));
  }
}

type Question = Extract<ToBulkDecoder, { kind: 'decode-all' }>;

async function decodeAll(question: Question, bytes: Uint8Array): Promise<void> {
  let end = 0;
  const decoded = await Promise.all(
    question.files.map((head) => {
      const stored = bytes.subarray(end, (end += head.storedBytes));
      return decodeOne(head, stored, question);
    }),
  );
  if (pipe.destroyed) return;
  const images = decoded.flatMap(({ image }) => (image === undefined ? [] : [image]));
  writeFrame(pipe, { id: question.id, kind: 'done', decoded: decoded.map(({ head }) => head) }, Buffer.concat(images));
}

async function decodeOne(
  packed: PackedHead,
  stored: Uint8Array,
  { maximumPixels, options }: Question,
): Promise<{ head: DecodedHead; image?: Uint8Array }> {
  try {
    const { image, facts } = await decode({ ...packed, stored }, maximumPixels, options);
    return { head: { facts }, image };
  } catch (error) {
    if (!(error instanceof DomainError)) process.stderr.write(`${JSON.stringify(failedAnswer(0, error))}\n`);
    const { code, message } = error instanceof DomainError ? error : undecodable(error);
    return { head: { code, message } };
  }
}
