import { fork } from 'node:child_process';
import { once } from 'node:events';
import { type BenchProgram, benchProgram } from '../programs.ts';

/** Starts the program in a process of its own, hands it `task` as a message, and resolves to the message it answers with. */
export async function processWithTask<Result>(program: BenchProgram, task: object): Promise<Result> {
  const child = fork(await benchProgram(program), {
    execArgv: [],
    serialization: 'advanced', // buffers as they are
  });
  let result: Result | undefined;
  child.once('message', (message) => (result = message as Result));
  child.send(task);
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  if (code === 0 && result !== undefined) return result;
  throw new Error(`${program} ended by ${signal ?? `exit code ${code}`} without a result.`);
}
