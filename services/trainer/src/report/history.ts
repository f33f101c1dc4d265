import { readFile } from 'node:fs/promises';
import { DomainError } from '@atelier/domain';
import { z } from 'zod';
import { EpochReport } from '../epoch-report.ts';

/** A line of `history.ndjson`, as far as a report shows it; what else stands there is left alone. */
export const HistoryEntry = z.object(EpochReport.shape);
export type HistoryEntry = z.infer<typeof HistoryEntry>;

/**
 * The epochs of a run, ascending; empty where the file is missing. An epoch that was trained again after an interruption
 * counts as it was last, and a last line that a crash cut off is left out. Any other fault is `invalid-run`, with its line.
 */
export async function readHistory(path: string): Promise<HistoryEntry[]> {
  const lines = (await textOf(path)).split('\n');
  const unfinished = lines.pop(); // empty where the file is whole: each line ends in a newline
  const entries = new Map<number, HistoryEntry>();
  const add = (line: string) => {
    const entry = HistoryEntry.parse(JSON.parse(line));
    entries.set(entry.epoch, entry);
  };
  lines.forEach((line, index) => {
    try {
      add(line);
    } catch (cause) {
      throw new DomainError('invalid-run', `${path}, line ${index + 1}, is no report of an epoch.`, { cause });
    }
  });
  try {
    if (unfinished) add(unfinished);
  } catch {
    // what a crash cut off
  }
  return [...entries.values()].sort((a, b) => a.epoch - b.epoch);
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}
