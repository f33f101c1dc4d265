import { type EvaluationReport, visibleText } from '@atelier/evaluation';
import { percent, print } from '../output.ts';

const LISTED_ENTRIES = 10;

/** The report as a person reads it on a terminal; the rest is in its other forms. */
export function printEvaluation(report: EvaluationReport): void {
  const { model, device, examples, input, accuracyInterval, perClass, comparison, unreadable } = report;
  print(`${model.name} version ${model.version} on ${device}: ${count(examples, 'image')} (${input.form})`);
  print(
    `Accuracy ${percent(report.accuracy)} (95 % interval ${percent(accuracyInterval[0])} to ${percent(accuracyInterval[1])})`,
  );
  print(
    `Top three ${percent(report.topThreeAccuracy)}, balanced ${percent(report.balancedAccuracy)}, macro F1 ${percent(report.macroF1)}`,
  );
  print(`Loss ${report.loss.toFixed(4)}, calibration error ${percent(report.calibrationError)}`);
  printAbstentions(report);
  print('');
  print(`${''.padEnd(12)}precision  recall      f1   images`);
  for (const { label, precision, recall, f1, support } of perClass) {
    const shares = [precision, recall, f1].map((value) => percent(value).padStart(8)).join('  ');
    print(`${label.padEnd(12)}${shares} ${support.toLocaleString('en').padStart(8)}`);
  }
  if (comparison !== null) printComparison(report.model.version, comparison);
  if (unreadable.count > 0) printUnreadable(unreadable);
  if (input.ignored > 0) print(`\n${count(input.ignored, 'entry', 'entries')} ignored, as nobody's pictures`);
  print('');
  print(speed(report));
}

function printAbstentions({ abstentions }: EvaluationReport): void {
  if (abstentions === null) return;
  const others = abstentions.accuracyOfAnswered;
  const accuracy = others === null ? '' : `, accuracy of the others ${percent(others)}`;
  print(`Abstained on ${percent(abstentions.share)}${accuracy}`);
}

function printComparison(own: number, comparison: NonNullable<EvaluationReport['comparison']>): void {
  const { against, metrics, accuracyDifference, accuracyDifferenceInterval, mcnemar, differing } = comparison;
  const [low, high] = accuracyDifferenceInterval.map(points);
  print('');
  print(`Against ${against.name} version ${against.version}: accuracy ${percent(metrics.accuracy)}`);
  print(
    `Difference ${points(accuracyDifference)} points (95 % interval ${low} to ${high}), McNemar's test p = ${mcnemar.pValue.toPrecision(2)}`,
  );
  print(
    `Both right ${comparison.bothRight}, only version ${own} ${comparison.onlyModelRight}, only version ${against.version} ${comparison.onlyAgainstRight}, ` +
      `both wrong ${comparison.bothWrong}; different answers for ${count(differing.count, 'image')}`,
  );
}

function printUnreadable({ count: total, byCode, shown }: EvaluationReport['unreadable']): void {
  print('');
  const codes = Object.entries(byCode).map(([code, times]) => `${code} ${times}`);
  print(`${count(total, 'entry', 'entries')} not read: ${codes.join(', ')}`);
  for (const { name, code, message } of shown.slice(0, LISTED_ENTRIES)) {
    print(`  ${visibleText(name)}: ${visibleText(message)} (${code})`);
  }
  if (total > LISTED_ENTRIES) print(`  and ${total - LISTED_ENTRIES} more`);
}

function speed({ imagesPerSecond, seconds, timingsMs }: EvaluationReport): string {
  const steps = Object.entries(timingsMs)
    .sort(([, one], [, other]) => other - one)
    .map(([step, ms]) => `${step} ${(ms / 1000).toFixed(2)} s`);
  const parts = steps.length === 0 ? '' : ` (${steps.join(', ')})`;
  return `${Math.round(imagesPerSecond).toLocaleString('en')} images a second, ${seconds.toFixed(2)} s${parts}`;
}

function points(share: number): string {
  return `${share > 0 ? '+' : ''}${(share * 100).toFixed(2)}`;
}

function count(number: number, singular: string, plural = `${singular}s`): string {
  return `${number.toLocaleString('en')} ${number === 1 ? singular : plural}`;
}
