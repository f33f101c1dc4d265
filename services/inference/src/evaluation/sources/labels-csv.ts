import { CLASS_COUNT, classIndexOf, DomainError } from '@atelier/domain';

/** Names of the columns that a header may have; without a header the file comes first. */
const FILE_COLUMNS = ['file', 'filename', 'file_name', 'name', 'image', 'path'];
const LABEL_COLUMNS = ['label', 'class', 'class_name', 'classname', 'category', 'target'];

/** The classes by the names of files, as a file of labels says them. */
export interface LabelsTable {
  /** By name, as the table writes it. */
  classes: ReadonlyMap<string, number>;
}

/**
 * Reads `file,label`, one a line, quoted or not (RFC 4180), with a header or none; the label is a class by its name, its slug or
 * its index. `malformed-labels` names the line.
 */
export function readLabelsCsv(text: string, place: string): LabelsTable {
  const rows = rowsOf(text.replace(/^\ufeff/, ''), place);
  const [first] = rows;
  if (first === undefined) throw fault(place, 1, 'expected file,label; found nothing');
  const header = columnsOf(first.fields);
  const [fileColumn, labelColumn] = header ?? [0, 1];
  const classes = new Map<string, number>();
  for (const { line, fields } of header === undefined ? rows : rows.slice(1)) {
    const [name, label] = [fields[fileColumn]?.trim(), fields[labelColumn]];
    if (name === undefined || label === undefined || name === '') {
      throw fault(place, line, `expected file,label; found ${fields.length} columns`);
    }
    const index = classIndexOf(label);
    if (index === undefined) {
      throw fault(
        place,
        line,
        `expected a class by its name or its index 0 to ${CLASS_COUNT - 1}; found "${label.slice(0, 30)}"`,
      );
    }
    classes.set(name.replace(/^(\.\/)+/, ''), index);
  }
  return { classes };
}

/** Where a header has the two columns; undefined for a row that is none. */
function columnsOf(fields: readonly string[]): [file: number, label: number] | undefined {
  const words = fields.map((field) => field.trim().toLowerCase());
  const file = words.findIndex((word) => FILE_COLUMNS.includes(word));
  const label = words.findIndex((word) => LABEL_COLUMNS.includes(word));
  return file < 0 || label < 0 ? undefined : [file, label];
}

interface Row {
  /** Counted from 1. */
  line: number;
  fields: string[];
}

function rowsOf(text: string, place: string): Row[] {
  return text
    .split(/\r?\n/)
    .map((line, index) => ({ line: index + 1, text: line }))
    .filter(({ text: words }) => words.trim() !== '')
    .map(({ line, text: words }) => ({ line, fields: fieldsOf(words, place, line) }));
}

const FIELD = /(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/y;

function fieldsOf(text: string, place: string, line: number): string[] {
  const fields: string[] = [];
  let isLast = false;
  FIELD.lastIndex = 0;
  while (!isLast) {
    const match = FIELD.exec(text);
    if (match === null) throw fault(place, line, 'a quote is not closed, or stands where none may');
    fields.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '');
    isLast = match[3] === '';
  }
  return fields;
}

function fault(place: string, line: number, reason: string): DomainError {
  return new DomainError('malformed-labels', `${place}: line ${line}: ${reason}.`);
}
