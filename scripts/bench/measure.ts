import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { json } from 'node:stream/consumers';
import { describeMachine } from '../src/measurements/machine.ts';
import { note } from '../src/output.ts';
import { type Benchmark, type Figures, type MeasureOptions, Sample, type SampleOptions } from './benchmark.ts';
import { onnxruntimeVersion } from './onnxruntime.ts';
import { type BenchProgram, benchProgram } from './programs.ts';

/** One sample of each variant a round, each in a fresh process; every other round goes backwards, so that drift is shared. */
export async function measure(benchmark: Benchmark, { rounds, isQuick, settings }: MeasureOptions): Promise<Figures> {
  const options: SampleOptions = {
    isQuick,
    ...(settings.datasetDirectory === undefined ? {} : { datasetDirectory: settings.datasetDirectory }),
    datasetCache: settings.datasetCache,
    runsDirectory: settings.runsDirectory,
    modelsDirectory: settings.modelsDirectory,
  };
  const variants = isQuick ? (benchmark.quickVariants ?? benchmark.variants) : benchmark.variants;
  const samples: Record<string, Sample[]> = Object.fromEntries(variants.map((variant) => [variant, []]));
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? variants : variants.toReversed();
    for (const variant of order) {
      const sample = await sampleInFreshProcess(benchmark.program, variant, options);
      samples[variant]?.push(sample);
      const inWords = Object.entries(sample).map(([name, value]) => `${name} ${Number(value.toPrecision(4))}`);
      note(`Round ${round + 1} of ${rounds}, ${variant}: ${inWords.join(', ')}`);
    }
  }
  return {
    writtenAt: new Date().toISOString(),
    machine: describeMachine(await onnxruntimeVersion()),
    rounds,
    isQuick,
    samples,
  };
}

/** What `program` prints as JSON when it is given a variant and its options. */
async function sampleInFreshProcess(program: BenchProgram, variant: string, options: SampleOptions): Promise<Sample> {
  const words = [await benchProgram(program), variant, JSON.stringify(options)];
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  const output = json(child.stdout).catch(() => null);
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  const sample = Sample.safeParse(await output);
  if (code === 0 && sample.success) return sample.data;
  throw new Error(`The process of ${variant} ended by ${signal ?? `exit code ${code}`} without a sample.`);
}
