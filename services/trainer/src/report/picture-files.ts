import type { ReportContents } from './contents.ts';
import { sheetSvg } from './pictures/sheet.ts';

/** What a report shows, as SVG by the name of its file. */
export function pictureFiles({ curves, samples, model }: ReportContents): { name: string; svg: string }[] {
  const charts = [
    ...(curves === null ? [] : [curves.loss, curves.accuracy, curves.learningRate]),
    ...(model === null ? [] : [model.confusionMatrix, model.calibration]),
  ];
  const sets = [
    samples,
    ...(model === null ? [] : [model.correct, model.mistakes, model.firstLayer, model.activations]),
  ];
  return [
    ...charts.map(({ name, svg }) => ({ name, svg })),
    // A set may be empty: a model without mistakes on few images.
    ...sets.filter(({ tiles }) => tiles.length > 0).map((set) => ({ name: set.name, svg: sheetSvg(set) })),
  ];
}
