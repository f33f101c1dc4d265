import { join } from 'node:path';
import type { Dataset } from '@atelier/fashion-mnist';
import { drawReport } from './draw-report.ts';
import { writeWholeFile } from '../runs/whole-file.ts';
import { reportPage } from './page/page.ts';
import { pictureFiles } from './picture-files.ts';
import { rasterise } from './pictures/rasterise.ts';
import { readRunRecord } from '../runs/run-record.ts';

export interface WrittenReport {
  /** Of `report.html`. */
  path: string;
  /** Paths of the PNG files in `report/`. */
  pictures: string[];
}

/**
 * Writes `report.html` into a run's folder, one file that loads nothing, and its pictures as `report/*.png`. A run
 * without a model gets what it has. Nothing else in the folder changes. `dataset` must be the one that it was trained on,
 * or it is `dataset-mismatch`; `invalid-run` and `invalid-manifest` name what is damaged, `disk-full` what had no room.
 */
export async function writeReport(directory: string, dataset: Dataset): Promise<WrittenReport> {
  const contents = await drawReport(await readRunRecord(directory), dataset);
  const pictures = await Promise.all(
    pictureFiles(contents).map(async ({ name, svg }) => {
      const picture = join(directory, 'report', `${name}.png`);
      await writeWholeFile(picture, await rasterise(svg));
      return picture;
    }),
  );
  const path = join(directory, 'report.html');
  await writeWholeFile(path, reportPage(contents));
  return { path, pictures };
}
