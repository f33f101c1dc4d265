export type { EvaluatedBatch } from './batch.ts';
export { type EvaluationFacts, EvaluationTally, type TallyOptions } from './evaluation-tally.ts';
export { reportCsv } from './forms/csv.ts';
export { reportPage } from './forms/page/page.ts';
export { visibleText } from './forms/visible-text.ts';
export { accuracyDifferenceInterval, mcnemarTest, type PairedCounts } from './paired-accuracies.ts';
export * from './report.ts';
