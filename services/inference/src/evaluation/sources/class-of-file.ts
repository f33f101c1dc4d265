import { CLASS_NAMES, DomainError } from '@atelier/domain';
import { classOfFolder } from './labels.ts';
import { type LabelsTable, readLabelsCsv } from './labels-csv.ts';

/** The file of labels that a set has, and the folder in which it lies, with its slash; `''` at the top. */
export interface PlacedLabels extends LabelsTable {
  folder: string;
}

/** Reads the file of labels `name`; see `readLabelsCsv`. */
export function placedLabels(text: string, name: string): PlacedLabels {
  return { ...readLabelsCsv(text, name), folder: name.slice(0, name.lastIndexOf('/') + 1) };
}

/** Says what a file shows: what the file of labels says, where there is one that names it, else its folder. */
export class ClassOfFile {
  readonly #labels: PlacedLabels | undefined;
  readonly #found = new Set<string>();

  constructor(labels: PlacedLabels | undefined) {
    this.#labels = labels;
  }

  /** 0 to 9; `unlabelled-entry` where nothing says it. */
  of(path: string): number {
    const label = this.#listed(path) ?? classOfFolder(path);
    if (label !== undefined) return label;
    throw new DomainError(
      'unlabelled-entry',
      'Nothing says what it shows: expected a folder with the name or the index of a class ' +
        `(${CLASS_NAMES.map((name, index) => `${index} ${name}`).join(', ')}), or a line in labels.csv.`,
    );
  }

  /** Names in the file of labels for which `of` was not asked. */
  *missing(): Generator<string, void, undefined> {
    for (const name of this.#labels?.classes.keys() ?? []) if (!this.#found.has(name)) yield name;
  }

  /** A name counts from where the file of labels lies, or from the top. */
  #listed(path: string): number | undefined {
    if (this.#labels === undefined) return undefined;
    const { classes, folder } = this.#labels;
    const names = path.startsWith(folder) ? [path.slice(folder.length), path] : [path];
    const name = names.find((candidate) => classes.has(candidate));
    if (name === undefined) return undefined;
    this.#found.add(name);
    return classes.get(name);
  }
}
