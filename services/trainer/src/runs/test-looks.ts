import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

/** One trained model whose accuracy on the test images was computed: a line of `test-looks.ndjson`. */
export const TestLook = z.strictObject({ run: z.string(), recipe: z.string() });
export type TestLook = z.infer<typeof TestLook>;

const FILE = 'test-looks.ndjson';

/** To be called before a run computes its test number; what was written stays when the run's folder goes. */
export async function recordTestLook(runsDirectory: string, look: TestLook): Promise<void> {
  await appendFile(join(runsDirectory, FILE), `${JSON.stringify(look)}\n`);
}

/** Every look that was recorded, the oldest first; none where no run has looked. */
export async function readTestLooks(runsDirectory: string): Promise<TestLook[]> {
  const text = await readFile(join(runsDirectory, FILE), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line) => TestLook.parse(JSON.parse(line)));
}
