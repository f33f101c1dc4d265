import { inspect, stripVTControlCharacters } from 'node:util';
import type { CheckResult, DoctorReport, Status } from './report.ts';

/** Columns of a terminal that has always been this wide. */
const WIDTH = 80;
const NAME_COLUMN = 9;
const TEXT_COLUMN = 31;

const COLOURS = { ok: 'green', note: 'yellow', fault: 'red' } as const satisfies Record<Status, string>;

/** A check as lines of at most 80 columns: its status and name, then the summary and the remedy, wrapped. */
export function renderCheck({ status, name, summary, remedy }: CheckResult, isColoured: boolean): string {
  const mark = isColoured ? coloured(status) : status;
  const head = `  ${mark}${' '.repeat(NAME_COLUMN - 2 - status.length)}${name.padEnd(TEXT_COLUMN - NAME_COLUMN - 1)} `;
  const lines = [...wrapped(summary), ...(remedy === undefined ? [] : wrapped(`-> ${remedy}`))];
  return lines.map((line, index) => (index === 0 ? head : ' '.repeat(TEXT_COLUMN)) + line).join('\n');
}

function coloured(status: Status): string {
  const [on, off] = inspect.colors[COLOURS[status]] ?? [0, 0];
  return `\u001b[${on}m${status}\u001b[${off}m`;
}

/** The last line. */
export function renderVerdict({ usable, device, checks }: DoctorReport): string {
  const count = (status: Status) => checks.filter((check) => check.status === status).length;
  const [faults, notes] = [count('fault'), count('note')];
  const told = `${checks.length} checks: ${faults} ${faults === 1 ? 'fault' : 'faults'}, ${notes} ${notes === 1 ? 'note' : 'notes'}.`;
  return `${told} What was asked for (device ${device}) ${usable ? 'can' : 'cannot'} be used.`;
}

/** A word that is longer than a line, such as a path, stays whole. */
function wrapped(text: string): string[] {
  const lines: string[] = [];
  for (const word of stripVTControlCharacters(text).split(/\s+/)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= WIDTH - TEXT_COLUMN) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else lines.push(word);
  }
  return lines;
}
