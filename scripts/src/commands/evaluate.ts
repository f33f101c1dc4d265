import { resolve } from 'node:path';
import { DomainError } from '@atelier/domain';
import { type EvaluationReport, reportCsv, reportPage } from '@atelier/evaluation';
import { createLog } from '@atelier/http';
import {
  evaluate,
  type EvaluationTask,
  type LabelledSet,
  OnlineTraffic,
  openDatasetSet,
  type OpenEvaluation,
  openEvaluation,
  type SetOpening,
} from '@atelier/inference';
import { Command } from '@commander-js/extra-typings';
import { existingPath, wholeNumber, writablePath } from '../arguments.ts';
import { loadDataset } from '../dataset.ts';
import { EvaluationBar } from '../evaluation/evaluation-progress.ts';
import { openLabelledSet } from '../evaluation/labelled-files.ts';
import { printEvaluation } from '../evaluation/print-evaluation.ts';
import { writeWholeFile } from '../files.ts';
import { note, printJson } from '../output.ts';
import { withPredictors } from '../published-predictor.ts';
import type { Settings } from '../settings.ts';

export function evaluateCommand(settings: Settings) {
  return new Command('evaluate')
    .description('Measure a published version on labelled images, with the engine that serves it.')
    .argument(
      '[path]',
      'a folder with a folder for each class or labels.csv, a .zip of one, a .csv, or IDX images; plain or .gz (default: the 10,000 test images)',
      existingPath,
    )
    .option('--model <name>', 'another model of the repository')
    .option('--version <n>', 'instead of the latest', wholeNumber(1))
    .option('--against <n>', 'compare with this version on the same images', wholeNumber(1))
    .option('--labels <file>', 'IDX labels that do not lie beside the images under their usual name', existingPath)
    .option('--limit <n>', 'the first images only', wholeNumber(1))
    .option('--json', 'print the report as JSON')
    .option('--html <file>', 'write the report as a page with charts', writablePath)
    .option('--csv <file>', 'write the report as a table', writablePath)
    .addHelpText('after', EXAMPLES)
    .action(async (path, { model, version: asked, against, labels, limit, json, html, csv }) => {
      if (labels !== undefined && path === undefined) {
        throw new DomainError('invalid-configuration', '--labels goes with the path of IDX images; no path was given.');
      }
      const other = against === undefined ? undefined : { model, version: against };
      const report = await withPredictors(settings, { model, version: asked ?? 'latest' }, other, (predictor, second) =>
        evaluated(settings, { path, labels }, { predictor, against: second, limit }),
      );
      if (json) printJson(report);
      else printEvaluation(report);
      if (html !== undefined) await write(html, await reportPage(report));
      if (csv !== undefined) await write(csv, reportCsv(report));
    });
}

const EXAMPLES = `
Examples:
  npm run evaluate                                  the published version on the test images
  npm run evaluate -- photos/ --html report.html    a folder with a folder for each class
  npm run evaluate -- photos.zip --against 3        the latest version against version 3
  npm run evaluate -- t10k-images-idx3-ubyte.gz     with the labels beside it`;

type Versions = Pick<EvaluationTask, 'predictor' | 'against' | 'limit'>;

/** Where the labelled images are; without a path, the test split of the data set. */
interface Place {
  path: string | undefined;
  labels: string | undefined;
}

/** Measures with a bar on standard error; what was begun for it has ended when this resolves or rejects. */
async function evaluated(settings: Settings, place: Place, versions: Versions): Promise<EvaluationReport> {
  const config = await settings.readInferenceConfig();
  const parts = openEvaluation(config, new OnlineTraffic(), createLog('atelier', 'silent'));
  const bar = new EvaluationBar();
  try {
    const startedAt = performance.now();
    const { signal } = new AbortController();
    const set = await openSet(settings, place, { ...parts, signal });
    try {
      return await evaluate({ ...versions, set, startedAt, signal, onProgress: (state) => bar.update(state) }, parts);
    } finally {
      await set.close();
    }
  } finally {
    bar.stop();
    await parts.close(0);
  }
}

async function openSet(
  settings: Settings,
  { path, labels }: Place,
  opening: SetOpening & Pick<OpenEvaluation, 'places'>,
): Promise<LabelledSet> {
  if (path !== undefined) return openLabelledSet(path, labels, opening);
  await loadDataset(settings); // fetches it where it is missing
  return openDatasetSet('test', opening.places, opening);
}

async function write(file: string, text: string): Promise<void> {
  await writeWholeFile(file, text);
  note(`Written: ${resolve(file)}`);
}
