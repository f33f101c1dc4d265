import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { describeIssues, DomainError } from '@atelier/domain';
import { z } from 'zod';
import { readText } from './run.ts';
import { storageError } from './whole-file.ts';

/** One trained model whose accuracy on the test images was computed: a line of `test-looks.ndjson`. */
export const TestLook = z.strictObject({ run: z.string(), recipe: z.string() });
export type TestLook = z.infer<typeof TestLook>;

const FILE = 'test-looks.ndjson';

/**
 * To be called before a run computes its test number; what was written stays when the run's folder goes. It begins a line
 * of its own, also behind one that a full disk or a power cut left without its end.
 */
export async function recordTestLook(runsDirectory: string, look: TestLook): Promise<void> {
  const path = join(runsDirectory, FILE);
  try {
    await mkdir(runsDirectory, { recursive: true });
    const file = await open(path, 'a+');
    try {
      const start = (await endsInsideALine(file)) ? '\n' : '';
      await file.appendFile(`${start}${JSON.stringify(look)}\n`);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw storageError(error, path);
  }
}

/**
 * Every look that was recorded, the oldest first; none where no run has looked. A line that was cut off is passed over,
 * and `onNotice` says so: whoever wrote it ended before it could look. `invalid-run` names the line of any other fault.
 */
export async function readTestLooks(
  runsDirectory: string,
  onNotice: (message: string) => void = () => undefined,
): Promise<TestLook[]> {
  const path = join(runsDirectory, FILE);
  const text = (await readText(path)) ?? '';
  const looks: TestLook[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line === '') continue;
    const place = `${path}, line ${index + 1}`;
    const value = parsedJson(line);
    if (value === undefined) {
      onNotice(`${place}, was cut off and is left out.`);
      continue;
    }
    const look = TestLook.safeParse(value);
    if (!look.success) throw new DomainError('invalid-run', `${place}: ${describeIssues(look.error)}`);
    looks.push(look.data);
  }
  return looks;
}

async function endsInsideALine(file: FileHandle): Promise<boolean> {
  const { size } = await file.stat();
  if (size === 0) return false;
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer.toString() !== '\n';
}

/** Undefined for what is no JSON. */
function parsedJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
