import { TextDecoder } from 'node:util';
import { CLASS_COUNT, classIndexOf, className, DomainError } from '@atelier/domain';
import { maximumNamesBytes } from '../limits.ts';
import type { SetOpening } from './set-opening.ts';

/** Names of the columns that a header may have; without a header the file comes first. */
const FILE_COLUMNS = ['file', 'filename', 'file_name', 'name', 'image', 'path'];
const LABEL_COLUMNS = ['label', 'class', 'class_name', 'classname', 'category', 'target'];

/** So much of a table is read at a time: some thousand lines, or fields of one. */
const STEP_BYTES = 16 * 1024;

/** More than the longest name and its label. */
const LONGEST_LINE = 8 * 1024;

/** The classes by the names of files, as a file of labels says them. */
export interface LabelsTable {
  /** By name, as the table writes it. */
  classes: ReadonlyMap<string, number>;
}

export type LabelsReading = Pick<SetOpening, 'limits' | 'turns' | 'signal'>;

/**
 * Reads `file,label`, one a line, quoted or not (RFC 4180), in UTF-8, with a header or none; the label is a class by its name, its
 * slug or its index. `malformed-labels` names the line, or both where they contradict each other; it is thrown as well where
 * there are more lines than a set may have entries.
 */
export async function readLabelsCsv(bytes: Uint8Array, place: string, reading: LabelsReading): Promise<LabelsTable> {
  requireLabelsSize(bytes.length, place, reading);
  const classes = new Map<string, number>();
  const lines = new Map<string, number>();
  let columns: readonly [file: number, label: number] | undefined;
  for await (const rows of rowsOf(bytes, place, reading)) {
    for (const { line, fields } of rows) {
      if (columns === undefined) {
        const header = columnsOf(fields);
        columns = header ?? [0, 1];
        if (header !== undefined) continue;
      }
      const [name, label] = namedBy(fields, columns, place, line);
      const known = classes.get(name);
      if (known !== undefined && known !== label) {
        const [first, second] = [known, label].map(className);
        throw fault(place, line, `"${name.slice(0, 100)}" is "${second}", and "${first}" in line ${lines.get(name)}`);
      }
      if (known !== undefined) continue;
      classes.set(name, label);
      lines.set(name, line);
    }
  }
  if (columns === undefined) throw fault(place, 1, 'expected file,label; found nothing');
  return { classes };
}

/** `malformed-labels` for a file that has more bytes than are read; to be asked before that. */
export function requireLabelsSize(bytes: number, place: string, { limits }: Pick<LabelsReading, 'limits'>): void {
  const maximum = maximumNamesBytes(limits);
  if (bytes <= maximum) return;
  throw new DomainError('malformed-labels', `${place} has ${bytes} bytes; at most ${maximum} are taken.`);
}

/** What a row says, by the columns of the file and of the label. */
function namedBy(
  fields: readonly string[],
  [fileColumn, labelColumn]: readonly [number, number],
  place: string,
  line: number,
): [name: string, label: number] {
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
  return [name.replace(/^(\.\/)+/, ''), index];
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

/** The rows that are not empty, some at a time, between which others have their turn. */
async function* rowsOf(
  bytes: Uint8Array,
  place: string,
  { limits: { maximumEntries }, turns, signal }: LabelsReading,
): AsyncGenerator<Row[], void, undefined> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let line = 0;
  let rest = '';
  for (let start = 0; start < bytes.length; start += STEP_BYTES) {
    const isLast = start + STEP_BYTES >= bytes.length;
    const lines = (rest + decoded(decoder, bytes.subarray(start, start + STEP_BYTES), isLast, place)).split('\n');
    rest = isLast ? '' : (lines.pop() ?? '');
    if (rest.length > LONGEST_LINE) lines.push(rest); // its end can only be farther off
    const rows: Row[] = [];
    for (const text of lines) {
      line++;
      if (line > maximumEntries + 1) throw fault(place, line, `at most ${maximumEntries} lines and a header are taken`);
      if (text.length > LONGEST_LINE) throw fault(place, line, `it has more than ${LONGEST_LINE} characters`);
      if (text.trim() !== '') rows.push({ line, fields: fieldsOf(text.replace(/\r$/, ''), place, line) });
    }
    yield rows;
    await turns.pause(signal);
  }
}

function decoded(decoder: TextDecoder, bytes: Uint8Array, isLast: boolean, place: string): string {
  try {
    return decoder.decode(bytes, { stream: !isLast });
  } catch (cause) {
    throw new DomainError('malformed-labels', `${place} is not UTF-8.`, { cause });
  }
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
