import { DIFFERENTIABLE, WITHOUT_GRADIENT } from './src/index.ts';

const COLUMNS = 120;
const BEGIN = '<!-- Operators: written from src/operators by `npm run generate:operators`. -->';
const END = '<!-- End of operators. -->';

/** `document` with the table of operators written anew between its two marks; without them it is a `RangeError`. */
export function withOperators(document: string): string {
  const [begin, end] = [document.indexOf(BEGIN), document.indexOf(END)];
  if (begin < 0 || end < begin) throw new RangeError(`The document lacks the marks "${BEGIN}" and "${END}" in order.`);
  return `${document.slice(0, begin + BEGIN.length)}\n\n${table()}\n\n${sentence()}\n\n${document.slice(end)}`;
}

function sentence(): string {
  const words = `Beside the way there may also be ${WITHOUT_GRADIENT.map((name) => `\`${name}\``).join(', ')}.`.split(
    ' ',
  );
  const lines: string[] = [];
  for (const word of words) {
    const longer = [...lines.splice(-1), word].join(' ');
    if (longer.length <= COLUMNS) lines.push(longer);
    else lines.push(longer.slice(0, -word.length - 1), word);
  }
  return lines.join('\n');
}

/** As prettier would write it. */
function table(): string {
  const rows = Object.entries(DIFFERENTIABLE).map(([name, limits]) => [`\`${name}\``, limits] as const);
  const all = [['Operator', 'What to know'] as const, ...rows];
  const widths = [0, 1].map((column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const [head, ...body] = all.map(line);
  return [head, line(widths.map((width) => '-'.repeat(width))), ...body].join('\n');
}
