import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type Finished, ROOT } from './programs.ts';

/** What `command-lines.mjs` is asked for. */
export interface CommandLine {
  words: string[];
  /** Beside what the test's own process has. */
  environment: Record<string, string>;
}

/**
 * Command lines of `atelier` that end soon, in one process: what is tested is what they write and the exit code that they set.
 * That a process ends by this code is for `atelier` of `programs.ts`, as is everything about signals and pipes.
 */
export class CommandLines {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  #last: Promise<unknown>;

  constructor() {
    const entry = fileURLToPath(new URL('command-lines.mjs', import.meta.url));
    this.#child = fork(entry, { cwd: ROOT, execArgv: [], env: { ...process.env, LOG_LEVEL: 'info' } });
    this.#exited = once(this.#child, 'exit');
    this.#last = once(this.#child, 'message');
  }

  /** Runs one when those before it have ended; rejects where it ends the process. */
  run(words: string[], environment: Record<string, string> = {}): Promise<Finished> {
    const finished = this.#last.then(async () => {
      this.#child.send({ words, environment } satisfies CommandLine);
      const answer = await Promise.race([once(this.#child, 'message'), this.#exited.then(() => undefined)]);
      if (answer === undefined) throw new Error(`atelier ${words.join(' ')} ended the process.`);
      return answer[0] as Finished;
    });
    this.#last = finished.catch(() => undefined);
    return finished;
  }

  async close(): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    await this.#exited;
  }
}
