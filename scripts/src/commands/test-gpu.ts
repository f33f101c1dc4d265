import { join } from 'node:path';
import { onnxruntimeCheck } from '@atelier/doctor';
import { installedRuntime } from '@atelier/inference';
import { Command, Option } from '@commander-js/extra-typings';
import { wholeNumber } from '../arguments.ts';
import { findGpu } from '../gpu/find-gpu.ts';
import { type Gpu, GpuResults, type Outcome, type Subject, verdictOf } from '../gpu/gpu-results.ts';
import { gpuPage } from '../gpu/render-gpu.ts';
import { allPassed, runTrials, SUBJECTS } from '../gpu/run-trials.ts';
import { describeMachine } from '../measurements/machine.ts';
import { writePage } from '../measurements/written-page.ts';
import { loadDataset } from '../dataset.ts';
import { note, print } from '../output.ts';
import type { Settings } from '../settings.ts';

const EPOCHS = 3;

export function testGpuCommand(settings: Settings) {
  return new Command('test-gpu')
    .description(
      'Prove on an NVIDIA GPU that inference and training run on it and agree with the CPU; writes docs/gpu.md.',
    )
    .option('--epochs <n>', 'of each training', wholeNumber(2, 1000), EPOCHS)
    .option('--print', 'print the page and leave docs/ as it is')
    .addOption(
      // SwiftShader stands in for a GPU: nothing is recorded.
      new Option('--software', 'for tests: WebGPU on whichever Vulkan driver there is, with little work').hideHelp(),
    )
    .action(async ({ epochs, print: isPrinted = false, software: isSoftware = false }) => {
      const gpu = isSoftware ? STAND_IN : findGpu();
      if (gpu === null) {
        print('There is no NVIDIA GPU here: nothing was tested, and nothing is recorded.');
        return;
      }
      note(`${gpu.name}, driver ${gpu.driver}`);
      const { datasetDirectory: directory, datasetCache: cacheDirectory, modelsDirectory, root } = settings;
      await loadDataset(settings); // once, before several processes want it
      const options = { isQuick: isSoftware, epochs, modelsDirectory, dataset: { directory, cacheDirectory } };
      const outcomes: Outcome[] = [];
      for await (const outcome of runTrials(
        options,
        SUBJECTS.filter((subject) => !isSoftware || isBundled(subject)),
      )) {
        // A GPU beside the stand-in is not what is tried.
        const shown = isSoftware ? { ...outcome, gpuPeakBytes: null } : outcome;
        outcomes.push(shown);
        note(inWords(shown));
      }
      const machine = describeMachine(await runtimeVersion());
      const results = GpuResults.parse({ writtenAt: new Date().toISOString(), machine, gpu, epochs, outcomes });
      const page = gpuPage(results);
      if (isPrinted || isSoftware) print(page.markdown);
      else {
        const path = join(root, 'docs', 'gpu.md');
        await writePage(path, page);
        print(`Written: ${path}`);
      }
      if (!allPassed(outcomes)) process.exitCode = 1;
    });
}

async function runtimeVersion(): Promise<string> {
  const { facts } = await onnxruntimeCheck(installedRuntime).examine();
  return String(facts?.['version']);
}

const STAND_IN: Gpu = { name: 'a Vulkan driver without a GPU', driver: 'none', memoryMiB: null };

/** What comes with `npm ci`, and needs nothing of NVIDIA's. */
function isBundled({ engine, device }: Subject): boolean {
  return engine === 'onnx' && device !== 'cuda';
}

function inWords(outcome: Outcome): string {
  const { task, engine, device, measured, reason, largestDifference } = outcome;
  const name = `${task}, ${engine} on ${device}: ${verdictOf(outcome)}`;
  if (measured === null) return `${name}: ${reason}`;
  const difference = largestDifference === null ? '' : `, largest difference ${largestDifference.toExponential(1)}`;
  return `${name}, ${Math.round(measured.imagesPerSecond)} images/s${difference}`;
}
