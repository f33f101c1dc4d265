import { type Dataset, loadFashionMnist } from '@atelier/fashion-mnist';
import cliProgress from 'cli-progress';
import { note } from './output.ts';
import type { Settings } from './settings.ts';

/** Loads the data set, fetching it where it is missing, and says meanwhile what happens. */
export async function loadDataset(settings: Settings, signal?: AbortSignal): Promise<Dataset> {
  let bar: { file: string; bar: cliProgress.SingleBar } | undefined;
  try {
    return await loadFashionMnist({
      directory: settings.datasetDirectory,
      cacheDirectory: settings.datasetCache,
      signal,
      onNotice: note,
      onProgress: ({ file, receivedBytes, totalBytes }) => {
        if (!process.stderr.isTTY || totalBytes === null) return;
        if (bar?.file !== file) {
          bar?.bar.stop();
          bar = {
            file,
            bar: new cliProgress.SingleBar({ format: `${file} {bar} {percentage} %`, stream: process.stderr }),
          };
          bar.bar.start(totalBytes, 0);
        }
        bar.bar.update(receivedBytes);
      },
    });
  } finally {
    bar?.bar.stop();
  }
}
