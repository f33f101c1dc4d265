import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { startWords } from './start-words.ts';

export interface InferenceProcess {
  child: ChildProcess;
  /** What it has printed so far. */
  printed(): string;
  /** Resolves with the first match in what it prints; rejects when it ends without one. */
  prints(pattern: RegExp): Promise<RegExpExecArray>;
  /** Its exit code, or the signal that ended it. */
  ended: Promise<number | string | null>;
  /** Resolves with its address when it has a version to answer with. */
  serving(): Promise<string>;
}

/** The service as a program of its own, on a free port; it is gone when `context` is over, whatever became of it. */
export function startInferenceProcess(
  context: Pick<TestContext, 'after'>,
  environment: Record<string, string>,
): InferenceProcess {
  const child = spawn(process.execPath, startWords('services/inference/src/main.ts'), {
    env: { PATH: process.env['PATH'] ?? '', INFERENCE_PORT: '0', INFERENCE_WORKERS: '1', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  context.after(() => child.kill('SIGKILL'));
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const ended = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | string | null);
  const prints = (pattern: RegExp) =>
    new Promise<RegExpExecArray>((resolve, reject) => {
      const look = () => {
        const match = pattern.exec(text);
        if (match !== null) resolve(match);
      };
      look();
      child.stdout.on('data', look);
      void ended.then(() => reject(new Error(`ended without ${pattern}:\n${text}`)));
    });
  return {
    ...{ child, ended, prints, printed: () => text },
    async serving() {
      const [, url = ''] = await prints(/listens on (http:\/\/127\.0\.0\.1:\d+)/);
      await prints(/Serving fashion-mlp\/1/);
      return url;
    },
  };
}
