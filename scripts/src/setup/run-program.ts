import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

export interface ProgramOptions {
  cwd: string;
  environment: Record<string, string>;
  /** What it prints is shown on standard error, where that is the program's progress; else it is in the error alone. */
  isShown: boolean;
  signal?: AbortSignal | undefined;
}

/** Runs a program to its end; rejects with its last words where that is not a good one. */
export async function runProgram(command: string, words: readonly string[], options: ProgramOptions): Promise<void> {
  const { cwd, environment, isShown, signal } = options;
  const child = spawn(command, words, {
    cwd,
    signal,
    stdio: ['ignore', isShown ? process.stderr : 'ignore', isShown ? process.stderr : 'pipe'],
    shell: command.endsWith('.cmd'),
    env: { ...process.env, npm_config_loglevel: 'warn', ...environment },
  });
  const said = child.stderr === null ? Promise.resolve('') : text(child.stderr);
  const [code] = (await once(child, 'close')) as [number | null];
  if (code === 0) return;
  const lines = (await said).split('\n').map((line) => line.trim());
  const reason =
    lines.find((line) => /^(\w*Error|error)\b|getaddrinfo|ECONN|Failed/i.test(line)) ??
    lines.find((line) => line !== '');
  throw new Error(reason ?? `it ended by ${code === null ? 'a signal' : `exit code ${code}`}`);
}
