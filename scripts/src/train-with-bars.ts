import { trainInProcess, type TrainingResult, type TrainingTask } from '@atelier/trainer';
import { DownloadBar } from './dataset.ts';
import { TrainingProgress } from './training-progress.ts';

type Observer = NonNullable<Parameters<typeof trainInProcess>[1]>;

/**
 * Trains in a process of its own, with a bar for a download and one for the steps; `epochLines` adds a line per epoch.
 * The bars are gone when it resolves or rejects, and when this process ends before.
 */
export async function trainWithBars(
  task: TrainingTask,
  { epochLines, ...observer }: Omit<Observer, 'onDownload' | 'onProgress' | 'onEpoch'> & { epochLines: boolean },
): Promise<TrainingResult> {
  const progress = new TrainingProgress();
  const download = new DownloadBar();
  const stop = () => {
    progress.stop();
    download.stop();
  };
  process.once('exit', stop); // gives the terminal its cursor back
  try {
    return await trainInProcess(task, {
      ...observer,
      onDownload: (state) => download.update(state),
      onProgress: (state) => progress.update(state),
      ...(epochLines ? { onEpoch: (report) => progress.epoch(report) } : {}),
    });
  } finally {
    stop();
    process.off('exit', stop);
  }
}
