// Measures the conversion of one model in a process of its own: from the first byte read to the file in its place.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { convert } from '@atelier/tfjs-to-onnx';
import { readLayersModel } from '@atelier/tfjs-to-onnx/node';
import { writeWholeFiles } from '../../src/files.ts';
import { onnxFiles } from '../../src/onnx-files.ts';
import type { Sample, SampleOptions, Variants } from '../benchmark.ts';
import { measureVariant } from '../measure-variant.ts';
import { writeLargeModel } from './large-model.ts';
import { COMMAND, type ModelName, MODELS } from './variant-names.ts';

const COMMAND_LINE = fileURLToPath(new URL('../../atelier.mjs', import.meta.url));

async function withModel(
  name: ModelName,
  { isQuick, runsDirectory }: SampleOptions,
  measure: (folder: string) => Promise<Sample>,
): Promise<Sample> {
  await mkdir(runsDirectory, { recursive: true });
  const folder = await mkdtemp(join(runsDirectory, 'benchmark-'));
  try {
    const modelBytes = await writeLargeModel(folder, name, isQuick);
    return { modelBytes, ...(await measure(folder)) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Memory is what the process held at most, less what it held before: code and compiler are no part of it. */
async function conversion(folder: string): Promise<Sample> {
  const bareBytes = process.memoryUsage.rss();
  const started = performance.now();
  const { model } = convert(await readLayersModel(join(folder, 'model.json')));
  await writeWholeFiles(folder, onnxFiles(model, 'out.onnx', { externalData: false }));
  const seconds = (performance.now() - started) / 1000;
  return { seconds, peakBytes: process.resourceUsage().maxRSS * 1024 - bareBytes };
}

async function command(folder: string): Promise<Sample> {
  const started = performance.now();
  const words = ['tfjs-to-onnx', join(folder, 'model.json'), join(folder, 'out.onnx')];
  const [code] = (await once(spawn(process.execPath, [COMMAND_LINE, ...words], { stdio: 'ignore' }), 'close')) as [
    number,
  ];
  if (code !== 0) throw new Error(`The command ended with exit code ${code}.`);
  return { seconds: (performance.now() - started) / 1000 };
}

const CONVERSIONS = (Object.keys(MODELS) as ModelName[]).map(
  (name) => [name, (options: SampleOptions) => withModel(name, options, conversion)] as const,
);

const VARIANTS: Variants = {
  ...Object.fromEntries(CONVERSIONS),
  [COMMAND]: (options) => withModel('one-file', options, command),
};

await measureVariant(VARIANTS, process.argv.slice(2));
