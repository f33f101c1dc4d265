import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

/** How long a question may take: a driver that hangs must not hang its doctor. */
const LIMIT_MS = 60_000;

/**
 * Runs this Node with `words` in a process of its own and reads the JSON value that it prints last. Rejects in words where
 * it ends otherwise: a native library that crashes takes that process with it, and not who asks.
 */
export async function askChild(words: readonly string[], limitMs = LIMIT_MS): Promise<unknown> {
  const child = spawn(process.execPath, words, {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: limitMs,
    killSignal: 'SIGKILL',
  });
  const ended = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  const [printed, said, [code, signal]] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  const answer = printed.trim().split('\n').at(-1) ?? '';
  if (code === 0 && answer !== '') return JSON.parse(answer);
  const lines = said.split('\n').map((line) => line.trim());
  const reason = [/^\w*Error\b.*: /, /error|cannot|fail/i]
    .map((pattern) => lines.find((line) => pattern.test(line)))
    .find((line) => line !== undefined);
  throw new Error(`its process ended by ${signal ?? `exit code ${code}`}${reason === undefined ? '' : `: ${reason}`}`);
}
