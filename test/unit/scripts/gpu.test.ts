import assert from 'node:assert/strict';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { findGpu, usedGpuBytes } from '../../../scripts/src/gpu/find-gpu.ts';
import { GpuResults, type Outcome, type Subject, verdictOf } from '../../../scripts/src/gpu/gpu-results.ts';
import { gpuPage } from '../../../scripts/src/gpu/render-gpu.ts';
import { allPassed, runTrials, SUBJECTS } from '../../../scripts/src/gpu/run-trials.ts';
import { largestDifference, type TrialResult } from '../../../scripts/src/gpu/trial.ts';
import { describeMachine } from '../../../scripts/src/measurements/machine.ts';
import { ROOT } from '../../support/programs.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
before(async () => (folder = await temporaryFolder()));
after(() => folder.remove());

const OPTIONS = {
  isQuick: true,
  epochs: 2,
  modelsDirectory: '',
  dataset: { directory: undefined, cacheDirectory: '' },
};

const MEASURED = { imagesPerSecondAlone: null, imagesPerSecond: 5, hostPeakBytes: 1e8, validationAccuracy: 0.5 };

/** Outcomes of trials that give these numbers, by `<task> <engine> <device>`; the others are rejected. */
async function outcomesOf(numbers: Record<string, number[]>): Promise<Outcome[]> {
  const run = async ({ subject }: { subject: Subject }): Promise<TrialResult> => {
    const found = numbers[`${subject.task} ${subject.engine} ${subject.device}`];
    if (found === undefined) throw new Error('its process ended by SIGSEGV');
    return { measured: MEASURED, numbers: found };
  };
  const outcomes: Outcome[] = [];
  for await (const outcome of runTrials(OPTIONS, SUBJECTS, run)) outcomes.push(outcome);
  return outcomes;
}

const EVERYWHERE = {
  'inference onnx cpu': [0.5],
  'inference onnx webgpu': [0.50005],
  'inference onnx cuda': [0.5],
  'training onnx cpu': [2.3, 2.2],
  'training onnx webgpu': [2.3, 2.2],
  'training onnx cuda': [2.3, 2.2],
  'training tfjs cpu': [2.3, 2.2],
};

const without = (name: string) => Object.fromEntries(Object.entries(EVERYWHERE).filter(([key]) => key !== name));

describe('what is tried on a GPU', () => {
  test('inference and training, on the processor first, on WebGPU before CUDA', () => {
    assert.deepEqual(
      SUBJECTS.map(({ task, engine, device }) => `${task} ${engine} ${device}`),
      [
        ...['inference onnx cpu', 'inference onnx webgpu', 'inference onnx cuda'],
        ...['training onnx cpu', 'training tfjs cpu', 'training onnx webgpu', 'training tfjs webgpu'],
        ...['training onnx cuda', 'training tfjs cuda'],
      ],
    );
  });

  test('passes where every number is within 1e-4 of the processor; tfjs may be missing', async () => {
    const outcomes = await outcomesOf(EVERYWHERE);
    assert.ok(allPassed(outcomes));
    const verdicts = outcomes.filter(({ engine }) => engine === 'tfjs').map(verdictOf);
    assert.deepEqual(verdicts, ['passed', 'missing', 'missing']);
  });

  test('fails where a device computes something else, nothing finite, another count of numbers, or dies', async () => {
    for (const numbers of [[0.5002], [NaN], [0.5, 0.5], undefined]) {
      const rest = without('inference onnx cuda');
      const outcomes = await outcomesOf(numbers === undefined ? rest : { ...rest, 'inference onnx cuda': numbers });
      assert.equal(allPassed(outcomes), false, String(numbers));
      GpuResults.shape.outcomes.parse(JSON.parse(JSON.stringify(outcomes)));
    }
  });

  test('fails where the numbers are right and no memory of the GPU was taken: a driver that imitates one gave them', async () => {
    const outcomes = await outcomesOf(EVERYWHERE);
    const withPeak = (gpuPeakBytes: number | null) =>
      outcomes.map((outcome) => (outcome.device === 'webgpu' ? { ...outcome, gpuPeakBytes } : outcome));
    assert.equal(allPassed(withPeak(0)), false);
    assert.ok(allPassed(withPeak(1)));
    assert.ok(allPassed(withPeak(null)), 'nvidia-smi need not be there');
  });

  test('without the processor nothing is proved', async () => {
    assert.equal(allPassed(await outcomesOf(without('training onnx cpu'))), false);
  });

  test('a difference is the largest of all, and infinite where numbers are missing', () => {
    assert.equal(largestDifference([1, 2, 3], [1, 2.5, 2.75]), 0.5);
    assert.equal(largestDifference([1], []), Infinity);
  });
});

describe('the GPU of this machine', { skip: process.platform === 'win32' }, () => {
  const program = async (text: string) => {
    const path = join(folder.path, 'nvidia-smi');
    await writeFile(path, `#!/bin/sh\n${text}\n`);
    await chmod(path, 0o755);
    return path;
  };

  test('is what nvidia-smi says, the first of several', async () => {
    const smi = await program('printf "NVIDIA H100 80GB HBM3, 550.54.15, 81559\\nNVIDIA T4, 550.54.15, 15360\\n"');
    assert.deepEqual(findGpu(smi, '/nowhere'), {
      name: 'NVIDIA H100 80GB HBM3',
      driver: '550.54.15',
      memoryMiB: 81559,
    });
    assert.equal(usedGpuBytes(await program('echo 512')), 512 * 2 ** 20);
  });

  test('is in use as much as all that there are: what is tried may run on another than the first', async () => {
    assert.equal(usedGpuBytes(await program('printf "512\\n[N/A]\\n256\\n"')), 768 * 2 ** 20);
    assert.equal(usedGpuBytes(await program('echo "[N/A]"')), null);
  });

  test('is what the driver says in /proc where there is no nvidia-smi', async () => {
    const proc = join(folder.path, 'proc');
    await mkdir(join(proc, 'gpus', '0000:01:00.0'), { recursive: true });
    await writeFile(join(proc, 'gpus', '0000:01:00.0', 'information'), 'Model: \t\t NVIDIA L4\nIRQ: 1\n');
    await writeFile(join(proc, 'version'), 'NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.183.01  x\n');
    assert.deepEqual(findGpu('/nowhere', proc), { name: 'NVIDIA L4', driver: '535.183.01', memoryMiB: null });
  });

  test('is none where nvidia-smi fails, as on a machine whose driver is gone', async () => {
    assert.equal(findGpu(await program('echo "NVIDIA-SMI has failed"; exit 9'), '/nowhere'), null);
    assert.equal(usedGpuBytes('/nowhere'), null);
  });
});

describe('docs/gpu.md', () => {
  test('says that it was not run, or is what docs/gpu.json gives', async () => {
    const figures = join(ROOT, 'docs', 'gpu.json');
    const results = existsSync(figures) ? GpuResults.parse(JSON.parse(readFileSync(figures, 'utf8'))) : null;
    assert.equal(await readFile(join(ROOT, 'docs', 'gpu.md'), 'utf8'), gpuPage(results).markdown);
    assert.match(gpuPage(null).markdown, /^Not run yet: no machine with an NVIDIA GPU has been at hand\.$/m);
  });

  test('names the GPU and the machine, and why a device cannot be used', async () => {
    const results = GpuResults.parse({
      writtenAt: '2026-11-22T00:00:00.000Z',
      machine: describeMachine('1.30.0'),
      gpu: { name: 'NVIDIA H100', driver: '550.54.15', memoryMiB: 81559 },
      epochs: 3,
      outcomes: await outcomesOf(EVERYWHERE),
    });
    const { markdown } = gpuPage(results);
    assert.match(
      markdown,
      /^Measured on 2026-11-22 on NVIDIA H100, 80 GiB, driver 550\.54\.15; .* onnxruntime 1\.30\.0\.$/m,
    );
    assert.match(
      markdown,
      /^\| training, onnx on cuda +\| 5 +\| +\| 50\.00 % +\| 100 MB +\|.*\| 0\.0e\+0 +\| passed +\|$/m,
    );
    assert.match(markdown, /^\| training, tfjs on cuda .*\| cannot be used: its process ended by SIGSEGV \|$/m);
  });
});
