import type { EvaluationMetrics, EvaluationReport } from '../report.ts';
import { visibleText } from './visible-text.ts';

/** What a measure of an item of a section is; numbers as JavaScript writes them, null as nothing. */
type Line = readonly [section: string, item: string | number, measure: string, value: string | number | null];

/**
 * The report as one table in the form of RFC 4180, with CRLF and a header: section, item, measure, value, named as in the JSON. Accuracy is
 * `summary,,accuracy,0.9214`, a recall `class,Shirt,recall,0.76`, a cell of the confusion matrix `confusion,Shirt,Coat,83`,
 * and a mistake some lines under its number. Texts from the input cannot become formulas of a spreadsheet.
 */
export function reportCsv(report: EvaluationReport): string {
  const header = ['section', 'item', 'measure', 'value'].join(',');
  return [header, ...linesOf(report).map((line) => line.map(field).join(','))].map((line) => `${line}\r\n`).join('');
}

function linesOf(report: EvaluationReport): Line[] {
  const { abstentions, mistakes, unreadable, comparison } = report;
  return [
    ...summaryLines(report),
    ...metricsLines(report, ''),
    ...entries('abstentions', '', abstentions ?? {}),
    ...entries('timingsMs', '', report.timingsMs),
    ['mistakes', '', 'count', mistakes.count],
    ...mistakes.shown.flatMap(({ name, actual, predicted, confidence, top }, index) => [
      ...entries('mistake', index + 1, { name, actual, predicted, confidence }),
      ...top.map(({ label, probability }): Line => ['mistake', index + 1, `probability ${label}`, probability]),
    ]),
    ['unreadable', '', 'count', unreadable.count],
    ...entries('unreadable', '', unreadable.byCode),
    ...unreadable.shown.flatMap((entry, index) => entries('unreadableEntry', index + 1, entry)),
    ...(comparison === null ? [] : comparisonLines(comparison)),
  ];
}

function summaryLines({ createdAt, model, device, input, seconds, imagesPerSecond }: EvaluationReport): Line[] {
  return [
    ['summary', '', 'createdAt', createdAt],
    ['summary', '', 'model', model.name],
    ['summary', '', 'version', model.version],
    ['summary', '', 'modelDigest', model.digest],
    ['summary', '', 'device', device],
    ['summary', '', 'inputForm', input.form],
    ['summary', '', 'inputDigest', input.digest],
    ['summary', '', 'inputBytes', input.bytes],
    ['summary', '', 'inputIgnored', input.ignored],
    ['summary', '', 'seconds', seconds],
    ['summary', '', 'imagesPerSecond', imagesPerSecond],
  ];
}

/** `of` stands before the name of each section, to tell two versions apart. */
function metricsLines(metrics: EvaluationMetrics, of: string): Line[] {
  const { accuracyInterval, perClass, confusionMatrix, calibrationBins } = metrics;
  const labels = perClass.map(({ label }) => label);
  return [
    [`${of}summary`, '', 'examples', metrics.examples],
    [`${of}summary`, '', 'accuracy', metrics.accuracy],
    [`${of}summary`, '', 'accuracyIntervalLow', accuracyInterval[0]],
    [`${of}summary`, '', 'accuracyIntervalHigh', accuracyInterval[1]],
    [`${of}summary`, '', 'topThreeAccuracy', metrics.topThreeAccuracy],
    [`${of}summary`, '', 'loss', metrics.loss],
    [`${of}summary`, '', 'balancedAccuracy', metrics.balancedAccuracy],
    [`${of}summary`, '', 'macroF1', metrics.macroF1],
    [`${of}summary`, '', 'weightedF1', metrics.weightedF1],
    [`${of}summary`, '', 'calibrationError', metrics.calibrationError],
    ...perClass.flatMap(({ label, ...measures }) => entries(`${of}class`, label, measures)),
    ...confusionMatrix.flatMap((row, actual) =>
      row.map((count, predicted): Line => [`${of}confusion`, labels[actual] ?? '', labels[predicted] ?? '', count]),
    ),
    ...calibrationBins.flatMap((bin, index) => entries(`${of}calibrationBin`, index + 1, bin)),
  ];
}

function comparisonLines(comparison: NonNullable<EvaluationReport['comparison']>): Line[] {
  const { against, metrics, differing, mcnemar } = comparison;
  return [
    ['comparison', '', 'againstModel', against.name],
    ['comparison', '', 'againstVersion', against.version],
    ['comparison', '', 'againstDigest', against.digest],
    ['comparison', '', 'accuracyDifference', comparison.accuracyDifference],
    ['comparison', '', 'accuracyDifferenceIntervalLow', comparison.accuracyDifferenceInterval[0]],
    ['comparison', '', 'accuracyDifferenceIntervalHigh', comparison.accuracyDifferenceInterval[1]],
    ['comparison', '', 'bothRight', comparison.bothRight],
    ['comparison', '', 'onlyModelRight', comparison.onlyModelRight],
    ['comparison', '', 'onlyAgainstRight', comparison.onlyAgainstRight],
    ['comparison', '', 'bothWrong', comparison.bothWrong],
    ['comparison', '', 'mcnemarPValue', mcnemar.pValue],
    ['comparison', '', 'mcnemarMethod', mcnemar.method],
    ['comparison', '', 'differingImages', differing.count],
    ...differing.shown.flatMap((image, index) =>
      Object.entries(image)
        .filter(([measure]) => measure !== 'preview')
        .map(([measure, value]): Line => ['differingImage', index + 1, measure, value]),
    ),
    ...metricsLines(metrics, 'against.'),
  ];
}

/** A line for each property. */
function entries(
  section: string,
  item: string | number,
  values: Readonly<Record<string, string | number | null>>,
): Line[] {
  return Object.entries(values).map(([name, value]) => [section, item, name, value]);
}

/** Where a spreadsheet sees a new cell: at the beginning, and behind the separators of other languages. */
const FORMULA = /(^|[;\t])(?=\s*[=+\-@\uff1d\uff0b\uff0d\uff20])/g;

/**
 * A text that begins as a formula gets an apostrophe before it, as OWASP advises against CSV injection; a number has no
 * text of strangers in it.
 */
function field(value: string | number | null): string {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  const text = visibleText(value).replace(FORMULA, "$1'");
  return /[",;\s]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
