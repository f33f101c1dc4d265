import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Dataset } from '@atelier/fashion-mnist';
import { drawReport } from './draw-report.ts';
import { reportPage } from './page/page.ts';
import { pictureFiles } from './picture-files.ts';
import { rasterise } from './pictures/rasterise.ts';
import { readRunRecord } from './run-record.ts';

export interface WrittenReport {
  /** Of `report.html`. */
  path: string;
  /** Paths of the PNG files in `report/`. */
  pictures: string[];
}

/**
 * Writes `report.html` into a run's folder, one file that loads nothing, and its pictures as `report/*.png`. A run
 * without a model gets what it has. `dataset` must be the one that it was trained on. Nothing else in the folder changes.
 */
export async function writeReport(directory: string, dataset: Dataset): Promise<WrittenReport> {
  const contents = await drawReport(await readRunRecord(directory), dataset);
  const pictures = await Promise.all(
    pictureFiles(contents).map(async ({ name, svg }) => {
      const picture = join(directory, 'report', `${name}.png`);
      await writeWhole(picture, await rasterise(svg));
      return picture;
    }),
  );
  const path = join(directory, 'report.html');
  await writeWhole(path, reportPage(contents));
  return { path, pictures };
}

/** Written beside and renamed, so that nobody reads half a file. */
async function writeWhole(path: string, data: Uint8Array | string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.part`, data);
  await rename(`${path}.part`, path);
}
