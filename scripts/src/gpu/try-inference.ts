import { readFile } from 'node:fs/promises';
import { PIXELS_PER_IMAGE } from '@atelier/domain';
import { createLog } from '@atelier/http';
import { type Predictor, readConfig, startConfiguredEngine } from '@atelier/inference';
import { resolveVersion } from '@atelier/model-repository';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { MODEL_NAME } from '../settings.ts';
import type { TrialResult, TrialTask } from './trial.ts';

const BATCH = 64;

/** How long each speed is measured, in ms, after as long a start. */
const MEASURED_MS = 5_000;
const QUICK_MS = 50;

/** One engine, which may take its time: a driver that imitates a GPU needs seconds for a batch. */
const SETTINGS = { INFERENCE_WORKERS: '1', INFERENCE_DECODERS: '1', INFERENCE_STUCK_MS: '60000' };

/** The published version on a device, as the service computes it: it loads only where its golden answers come out. */
export async function tryInference({ subject, isQuick, modelsDirectory }: TrialTask): Promise<TrialResult> {
  const config = readConfig({ DEVICE: subject.device, ...SETTINGS });
  const engine = await startConfiguredEngine(config, createLog('gpu', 'silent'));
  try {
    const predictor = await engine.load(await resolveVersion(modelsDirectory, MODEL_NAME, 'latest'));
    const images = noise(BATCH);
    const { probabilities } = await predictor.predict(images);
    const milliseconds = isQuick ? QUICK_MS : MEASURED_MS;
    const measured = {
      imagesPerSecondAlone: await imagesPerSecond(predictor, noise(1), milliseconds),
      imagesPerSecond: await imagesPerSecond(predictor, images, milliseconds),
      hostPeakBytes: await peakBytesOf(engine.pid()),
      validationAccuracy: null,
    };
    return { measured, numbers: [...probabilities] };
  } finally {
    await engine.close();
  }
}

async function imagesPerSecond(predictor: Predictor, images: Uint8Array, milliseconds: number): Promise<number> {
  const rows = images.length / PIXELS_PER_IMAGE;
  const runFor = async (limit: number) => {
    const started = performance.now();
    let count = 0;
    do {
      await predictor.predict(images);
      count++;
    } while (performance.now() - started < limit);
    return (count * rows * 1000) / (performance.now() - started);
  };
  await runFor(milliseconds);
  return runFor(milliseconds);
}

/** Images [count, 28, 28] of noise, the same each time. */
function noise(count: number): Uint8Array {
  const generator = xoroshiro128plus(1);
  return Uint8Array.from({ length: count * PIXELS_PER_IMAGE }, () => uniformInt(generator, 0, 255));
}

/** The most that a process held so far (Linux). */
async function peakBytesOf(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return 1024 * Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? NaN);
}
