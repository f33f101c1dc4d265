import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

export interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** A program of ours under test: what it wrote so far, and a way to wait for a line. */
export class Program {
  readonly process: ChildProcessWithoutNullStreams;
  readonly finished: Promise<Finished>;
  stdout = '';
  stderr = '';

  constructor(command: string, words: string[], environment: Record<string, string> = {}) {
    this.process = spawn(command, words, {
      cwd: ROOT,
      env: { ...process.env, LOG_LEVEL: 'info', ...environment },
      detached: true, // a process group of its own, as a terminal gives each command
    });
    this.process.stdout.on('data', (data: Buffer) => (this.stdout += data.toString()));
    this.process.stderr.on('data', (data: Buffer) => (this.stderr += data.toString()));
    this.finished = new Promise((resolve) => {
      this.process.on('close', (code) => resolve({ code, stdout: this.stdout, stderr: this.stderr }));
    });
  }

  /** What a terminal does at Ctrl-C: every process of the group gets the signal. */
  pressControlC(): void {
    if (this.process.pid !== undefined) process.kill(-this.process.pid, 'SIGINT');
  }

  /** Waits until `pattern` matches what was written to either stream; rejects when the program ends before. */
  async wrote(pattern: RegExp): Promise<RegExpMatchArray> {
    let ended = false;
    void this.finished.then(() => (ended = true));
    for (;;) {
      const match = `${this.stdout}\n${this.stderr}`.match(pattern);
      if (match) return match;
      if (ended) throw new Error(`Ended before it wrote ${pattern.source}:\n${this.stdout}\n${this.stderr}`);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
}

/** The command line, as `npx atelier` starts it. */
export function atelier(words: string[], environment: Record<string, string> = {}): Program {
  return new Program(process.execPath, [join(ROOT, 'scripts', 'atelier.mjs'), ...words], environment);
}
