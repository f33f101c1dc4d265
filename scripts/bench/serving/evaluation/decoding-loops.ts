import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { usableCores } from '@atelier/doctor';
import type { Sample } from '../../benchmark.ts';
import { benchProgram } from '../../programs.ts';
import type { DecodingPass, DecodingPassResult, LoopDecoder } from './decoding-pass.ts';

/** Runs the bare decoding loop over an archive once, in so many processes of which each takes its share of the files. */
export type DecodingLoop = (archive: string, decoder: LoopDecoder, processes: 1 | 2) => Promise<Sample>;

/** Processes for the loop, which are kept until `task` has ended, so that they are warm after the first pass. */
export async function withDecodingLoop<T>(task: (loop: DecodingLoop) => Promise<T>): Promise<T> {
  const options = {
    execArgv: [],
    env: { ...process.env, UV_THREADPOOL_SIZE: String(usableCores() + 1) }, // as the service's own decoder has
  };
  const program = await benchProgram('serving/evaluation/decoding-pass');
  const children = [1, 2].map(() => fork(program, options));
  const loop: DecodingLoop = async (archive, decoder, processes) => {
    const results = await Promise.all(
      children.slice(0, processes).map((child, index) => passIn(child, { archive, decoder, index, of: processes })),
    );
    const seconds = Math.max(...results.map((result) => result.seconds));
    const pictures = sumOf(results, 'pictures');
    const cpuMicroseconds = (1e6 * sumOf(results, 'cpuSeconds')) / pictures;
    return { seconds, perSecond: pictures / seconds, cpuMicroseconds };
  };
  try {
    return await task(loop);
  } finally {
    await Promise.all(children.map(end));
  }
}

async function passIn(child: ChildProcess, pass: DecodingPass): Promise<DecodingPassResult> {
  const answered = new AbortController();
  const ended = once(child, 'exit', { signal: answered.signal }).then(() => {
    throw new Error('The decoding loop ended without a result.');
  });
  ended.catch(() => undefined); // of interest only until the answer
  child.send(pass);
  try {
    const [result] = (await Promise.race([once(child, 'message', { signal: answered.signal }), ended])) as [
      DecodingPassResult,
    ];
    return result;
  } finally {
    answered.abort();
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.disconnect();
  await exited;
}

function sumOf(results: readonly DecodingPassResult[], name: keyof DecodingPassResult): number {
  return results.reduce((sum, result) => sum + result[name], 0);
}
