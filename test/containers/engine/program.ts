import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface ProgramOptions {
  environment?: NodeJS.ProcessEnv;
  cwd?: string;
}

/** What a program printed on standard output; rejects with all that it printed where it did not end well. */
export async function run(program: string, words: readonly string[], options: ProgramOptions = {}): Promise<string> {
  const { code, output, result } = await attempt(program, words, options);
  if (code === 0) return result;
  const last = output.trim().split('\n').slice(-30).join('\n');
  throw new Error(`${program} ${words.join(' ')} ended with ${code}:\n${last}`);
}

/** The same, however it ended; null where there is no such program. */
export async function attempt(
  program: string,
  words: readonly string[],
  { environment, cwd }: ProgramOptions = {},
): Promise<{ code: number | null; output: string; result: string }> {
  const child = spawn(program, words, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
    cwd,
  });
  let [output, result] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => ((output += text), (result += text)));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, output, result };
  } catch {
    return { code: null, output, result };
  }
}
