import { CLASS_NAMES } from '@atelier/domain';
import { classOfFolder } from './labels.ts';
import type { LabelsTable } from './labels-csv.ts';
import type { SkippedEntry } from './labelled-set.ts';
import type { SetOpening } from './set-opening.ts';
import { skipped } from './zip/entry-names.ts';

/** The table of labels that a set has, and the name of the file it was in. */
export interface PlacedLabels extends LabelsTable {
  name: string;
}

/** What the files of a set show. */
export interface ClassifiedFiles {
  /** [files], 0 to 9; undefined where nothing says it. */
  classes: (number | undefined)[];
  /** What the file of labels names and the set has not, or not as a file that may be read. */
  missing: string[];
}

/** Files between whose turns others have theirs. */
const FILES_AT_A_TIME = 1_024;

/**
 * What files show, each by its place in the set: what the file of labels says, where there is one that names it, else its
 * folder. A name in the file of labels counts from where that lies, or from the top. Names that are undefined are of entries that
 * cannot be read.
 */
export async function classify(
  names: readonly (string | undefined)[],
  labels: PlacedLabels | undefined,
  { turns, signal }: Pick<SetOpening, 'turns' | 'signal'>,
): Promise<ClassifiedFiles> {
  const folder = labels?.name.slice(0, labels.name.lastIndexOf('/') + 1) ?? '';
  const missing = new Set(labels?.classes.keys());
  const classes: (number | undefined)[] = [];
  for (const name of names) {
    if (classes.length % FILES_AT_A_TIME === FILES_AT_A_TIME - 1) await turns.pause(signal);
    classes.push(name === undefined ? undefined : (listed(name) ?? classOfFolder(name)));
  }
  return { classes, missing: [...missing] };

  function listed(path: string): number | undefined {
    if (labels === undefined) return undefined;
    const below = path.startsWith(folder) ? path.slice(folder.length) : path;
    const name = labels.classes.has(below) ? below : path;
    missing.delete(name);
    return labels.classes.get(name);
  }
}

const UNLABELLED =
  'Nothing says what it shows: expected a folder with the name or the index of a class ' +
  `(${CLASS_NAMES.map((name, index) => `${index} ${name}`).join(', ')}), or a line in labels.csv.`;

export function unlabelled(name: string): SkippedEntry {
  return skipped(name, 'unlabelled-entry', UNLABELLED);
}

export function missingEntry(name: string): SkippedEntry {
  return skipped(name, 'missing-entry', 'labels.csv names it, and nothing has that name that could be read.');
}
