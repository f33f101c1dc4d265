// Measures one search in a process of its own: as `npm run search` carries it through, from its start to its end.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { Sample, SampleOptions, Variants } from '../benchmark.ts';
import { measureVariant } from '../measure-variant.ts';
import { KINDS, SEEDS, variantName } from './variant-names.ts';

const COMMAND_LINE = fileURLToPath(new URL('../../atelier.mjs', import.meta.url));

interface Result {
  epochs: number;
  trials: { best: { accuracy: number } | null }[];
}

async function search(words: readonly string[], { isQuick, runsDirectory }: SampleOptions): Promise<Sample> {
  const size = isQuick ? ['--trials', '3', '--epochs', '3', '--limit', '1000'] : ['--trials', '20'];
  await mkdir(runsDirectory, { recursive: true });
  const runs = await mkdtemp(join(runsDirectory, 'benchmark-'));
  try {
    const started = performance.now();
    const child = spawn(
      process.execPath,
      [COMMAND_LINE, 'search', '--recipe', 'ann-128', ...size, ...words, '--json'],
      { env: { ...process.env, RUNS_DIR: runs }, stdio: ['ignore', 'pipe', 'ignore'] },
    );
    const result = json(child.stdout).catch(() => null);
    await once(child, 'close');
    const seconds = (performance.now() - started) / 1000;
    const found = (await result) as Result | null;
    const accuracy = found?.trials[0]?.best?.accuracy;
    if (found === null || accuracy === undefined) throw new Error(`The search ${words.join(' ')} came to no result.`);
    return { seconds, epochs: found.epochs, accuracy };
  } finally {
    await rm(runs, { recursive: true, force: true });
  }
}

const VARIANTS: Variants = Object.fromEntries(
  SEEDS.flatMap((seed) =>
    KINDS.map((kind) => [
      variantName(kind, seed),
      (options: SampleOptions) =>
        search(['--seed', String(seed), ...(kind === 'full' ? ['--no-halving'] : [])], options),
    ]),
  ),
);

await measureVariant(VARIANTS, process.argv.slice(2));
