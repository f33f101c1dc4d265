import { DomainError } from '@atelier/domain';
import { z } from 'zod';
import { EpochReport } from '../epoch-report.ts';
import { parseWith, readText } from './run.ts';

/**
 * The first `epochs` lines of a `history.ndjson`, to go on from; what a killed process wrote behind them is left out.
 * `invalid-run` where there are fewer, or one is damaged.
 */
export async function readHistoryUpTo(epochs: number, path: string): Promise<EpochReport[]> {
  const text = await readText(path);
  if (text === null) throw new DomainError('invalid-run', `${path} is missing; expected ${epochs} epochs.`);
  const lines = text.split('\n').slice(0, epochs);
  const history = lines.map((line, index) => parseWith(EpochReport, line, `${path}, line ${index + 1}`));
  const wrong = history.findIndex(({ epoch }, index) => epoch !== index + 1);
  if (wrong >= 0) {
    throw new DomainError('invalid-run', `${path}, line ${wrong + 1}: expected epoch ${wrong + 1}.`);
  }
  if (history.length === epochs) return history;
  throw new DomainError('invalid-run', `${path}: expected ${epochs} epochs, found ${history.length}.`);
}

/** A line of `history.ndjson`, as far as a report shows it; what else stands there is left alone. */
export const HistoryEntry = z.object(EpochReport.shape);
export type HistoryEntry = z.infer<typeof HistoryEntry>;

/**
 * All epochs of a run, ascending, to look at; empty where the file is missing. An epoch that was trained again after an
 * interruption counts as it was last, and a last line that a crash cut off is left out. Any other fault is `invalid-run`,
 * with its line.
 */
export async function readHistory(path: string): Promise<HistoryEntry[]> {
  const lines = ((await readText(path)) ?? '').split('\n');
  const unfinished = lines.pop(); // empty where the file is whole: each line ends in a newline
  const entries = lines.map((line, index) => parseWith(HistoryEntry, line, `${path}, line ${index + 1}`));
  try {
    if (unfinished) entries.push(parseWith(HistoryEntry, unfinished, path));
  } catch {
    // what a crash cut off
  }
  return [...new Map(entries.map((entry) => [entry.epoch, entry])).values()].sort((a, b) => a.epoch - b.epoch);
}
