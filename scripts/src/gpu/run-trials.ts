import { fileURLToPath } from 'node:url';
import { askChild } from '@atelier/doctor';
import { messageOf } from '@atelier/domain';
import { usedGpuBytes } from './find-gpu.ts';
import { GPU_DEVICES, type Outcome, type Subject, verdictOf } from './gpu-results.ts';
import { largestDifference, TrialResult, type TrialTask } from './trial.ts';

const ENTRY = fileURLToPath(new URL('./trial-main.ts', import.meta.url));

/** A training of some epochs on a processor takes minutes. */
const LIMIT_MS = 60 * 60_000;

/** How often the GPU's memory is looked at, in ms. */
const WATCH_MS = 250;

/** In the order of the table: without the GPU first, then WebGPU, which needs nothing that is not bundled, then CUDA. */
export const SUBJECTS: readonly Subject[] = (['inference', 'training'] as const).flatMap((task) =>
  GPU_DEVICES.flatMap((device) =>
    (task === 'inference' ? (['onnx'] as const) : (['onnx', 'tfjs'] as const)).map((engine) => ({
      task,
      engine,
      device,
    })),
  ),
);

/** Runs one trial; rejects where its process ends without a result. */
export type RunTrial = (task: TrialTask) => Promise<TrialResult>;

const inItsOwnProcess: RunTrial = async (task) =>
  TrialResult.parse(await askChild(['--import', import.meta.resolve('tsx'), ENTRY, JSON.stringify(task)], LIMIT_MS));

/** One trial after the other, each as it is done; the first of a task, which has no GPU, is what the others are compared with. */
export async function* runTrials(
  options: Omit<TrialTask, 'subject'>,
  subjects: readonly Subject[] = SUBJECTS,
  runTrial: RunTrial = inItsOwnProcess,
): AsyncGenerator<Outcome> {
  const expected = new Map<Subject['task'], readonly number[]>();
  for (const subject of subjects) {
    const watch = watchGpuMemory();
    try {
      const { measured, numbers } = await runTrial({ ...options, subject });
      const reference = expected.get(subject.task);
      if (reference === undefined && subject.device === 'cpu') expected.set(subject.task, numbers);
      const difference = reference === undefined ? null : largestDifference(numbers, reference);
      yield {
        ...{ ...subject, measured, reason: null },
        largestDifference: difference === null || Number.isFinite(difference) ? difference : Number.MAX_VALUE,
        gpuPeakBytes: watch.stop(subject.device),
      };
    } catch (error) {
      watch.stop(subject.device);
      yield { ...subject, measured: null, reason: messageOf(error), largestDifference: null, gpuPeakBytes: null };
    }
  }
}

/** Whether everything is right that must be: a GPU that computes something else, or not at all, is no success. */
export function allPassed(outcomes: readonly Outcome[]): boolean {
  return outcomes.map(verdictOf).every((verdict) => verdict === 'passed' || verdict === 'missing');
}

function watchGpuMemory() {
  const before = usedGpuBytes();
  let most = before ?? 0;
  const look = () => (most = Math.max(most, usedGpuBytes() ?? 0));
  const timer = before === null ? undefined : setInterval(look, WATCH_MS);
  return {
    stop(device: Subject['device']): number | null {
      clearInterval(timer);
      return before === null || device === 'cpu' ? null : most - before;
    },
  };
}
