import { type Dataset, type DownloadProgress, loadFashionMnist } from '@atelier/fashion-mnist';
import cliProgress from 'cli-progress';
import { note } from './output.ts';
import type { Settings } from './settings.ts';

/** Loads the data set, fetching it where it is missing, and says meanwhile what happens. */
export async function loadDataset(settings: Settings, signal?: AbortSignal): Promise<Dataset> {
  const bar = new DownloadBar();
  try {
    return await loadFashionMnist({
      directory: settings.datasetDirectory,
      cacheDirectory: settings.datasetCache,
      signal,
      onNotice: note,
      onProgress: (progress) => bar.update(progress),
    });
  } finally {
    bar.stop();
  }
}

/** A bar per file on standard error, where that is a terminal. */
export class DownloadBar {
  #current: { file: string; bar: cliProgress.SingleBar } | undefined;

  update({ file, receivedBytes, totalBytes }: DownloadProgress): void {
    if (!process.stderr.isTTY || totalBytes === null) return;
    if (this.#current?.file !== file) {
      this.stop();
      const format = `${file} {bar} {percentage} %`;
      this.#current = { file, bar: new cliProgress.SingleBar({ format, stream: process.stderr }) };
      this.#current.bar.start(totalBytes, 0);
    }
    this.#current.bar.update(receivedBytes);
  }

  stop(): void {
    this.#current?.bar.stop();
    this.#current = undefined;
  }
}
