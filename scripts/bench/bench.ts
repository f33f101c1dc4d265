import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { messageOf } from '@atelier/domain';
import { Argument, Command, CommanderError } from '@commander-js/extra-typings';
import { z } from 'zod';
import { wholeNumber } from '../src/arguments.ts';
import { USED_WRONGLY } from '../src/exit-codes.ts';
import { writeWholeFile } from '../src/files.ts';
import { beside, writePage } from '../src/measurements/written-page.ts';
import { print } from '../src/output.ts';
import { readSettings } from '../src/settings.ts';
import { type Benchmark, type Figures, Figures as FiguresSchema } from './benchmark.ts';
import { benchmarksPage } from './benchmarks-page.ts';
import { convert } from './convert/benchmark.ts';
import { measure } from './measure.ts';
import { search } from './search/benchmark.ts';
import { evaluation } from './serving/evaluation/benchmark.ts';
import { servingOverload } from './serving/overload/benchmark.ts';
import { scalingPage } from './serving/scaling-page.ts';
import { servingSoak } from './serving/soak/benchmark.ts';
import { serving } from './serving/speed/benchmark.ts';
import { trainer } from './trainer/benchmark.ts';
import { training } from './training/benchmark.ts';

/** Every benchmark, by its name on the command line and in `docs/benchmarks.json`. */
export const BENCHMARKS: Readonly<Record<string, Benchmark>> = {
  training,
  trainer,
  search,
  convert,
  serving,
  'serving-overload': servingOverload,
  'serving-soak': servingSoak,
  evaluation,
};

const ROUNDS = 5;

/** The figures of every benchmark that was run. */
export const AllFigures = z.record(z.string(), FiguresSchema);

/** Runs one benchmark and writes its section; sets the process's exit code as the command line `atelier` does. */
export async function bench(words: string[], environment: Record<string, string | undefined>): Promise<void> {
  const settings = readSettings(environment);
  const command = new Command('bench')
    .description('Measure ratios in one run, and write docs/benchmarks.md.')
    .addArgument(new Argument('<name>', 'what to measure').choices(Object.keys(BENCHMARKS)))
    .option(
      '--rounds <n>',
      `samples of each variant, each in a fresh process, in alternating order; default ${ROUNDS}, evaluation 2, serving-soak 1`,
      wholeNumber(1, 100),
    )
    .option('--quick', 'tiny sizes, whose figures mean nothing (for trying things)')
    .option('--out <page>', 'the page; default docs/benchmarks.md, or one in the runs folder with --quick')
    .addHelpText('after', EXAMPLES)
    .exitOverride()
    .action(async (name, { rounds: wantedRounds, quick: isQuick = false, out }) => {
      const benchmark = BENCHMARKS[name];
      if (benchmark === undefined) throw new RangeError(`No benchmark "${name}".`);
      const rounds = wantedRounds ?? benchmark.defaultRounds ?? ROUNDS;
      const folder = isQuick ? join(settings.runsDirectory, 'quick-benchmarks') : join(settings.root, 'docs');
      const page = resolve(out ?? join(folder, 'benchmarks.md'));
      const before = await readFigures(beside(page, '.json'));
      const figures = await measure(benchmark, { rounds, isQuick, settings });
      const all = { ...before, [name]: figures };
      await writePage(page, benchmarksPage(all, BENCHMARKS));
      print(`Written: ${page}`);
      const { serving: speed, 'serving-overload': overload } = all;
      if (speed === undefined || overload === undefined) return;
      const scaling = join(dirname(page), 'scaling.md');
      await writeWholeFile(scaling, scalingPage({ serving: speed, 'serving-overload': overload }));
      print(`Written: ${scaling}`);
    });
  try {
    await command.parseAsync(words, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? 0 : USED_WRONGLY;
      return;
    }
    process.stderr.write(`bench: ${messageOf(error)}\n`);
    process.exitCode = 1;
  }
}

/** None where there is no such file yet. */
async function readFigures(path: string): Promise<Record<string, Figures>> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '{}';
    throw error;
  });
  return AllFigures.parse(JSON.parse(text));
}

const EXAMPLES = `
Run it on a machine that does nothing else meanwhile.

Examples:
  npm run bench -- training
  npm run bench -- training --rounds 9
  npm run bench -- trainer
  npm run bench -- search --rounds 1
  npm run bench -- convert
  npm run bench -- serving
  npm run bench -- serving-overload
  npm run bench -- serving-soak
  npm run bench -- evaluation
  npm run bench -- training --quick --rounds 1`;
