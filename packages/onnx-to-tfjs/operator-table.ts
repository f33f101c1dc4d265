import { SUPPORTED_OPERATORS } from './src/index.ts';

const BEGIN = '<!-- Operators: written from the rules by `npm run generate:onnx-operators`. -->';
const END = '<!-- End of operators. -->';

/** `document` with the table written anew between its two marks; without them it is a `RangeError`. */
export function withOperators(document: string): string {
  const [begin, end] = [document.indexOf(BEGIN), document.indexOf(END)];
  if (begin < 0 || end < begin) throw new RangeError(`The document lacks the marks "${BEGIN}" and "${END}" in order.`);
  return `${document.slice(0, begin + BEGIN.length)}\n\n${table()}\n\n${document.slice(end)}`;
}

/** Operators by name, those that become the same in one row; as prettier would write it. */
function table(): string {
  const grouped = new Map<string, string[]>();
  for (const [name, text] of Object.entries(SUPPORTED_OPERATORS)) {
    grouped.set(text, [...(grouped.get(text) ?? []), `\`${name}\``]);
  }
  const rows = [['Operator', 'Layer'], ...[...grouped].map(([text, names]) => [names.join(', '), text])];
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const [head, ...body] = rows.map(line);
  return [head, line(widths.map((width) => '-'.repeat(width))), ...body].join('\n');
}
