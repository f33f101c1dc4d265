import { ACTIVATIONS, LAYER_RULES } from './src/index.ts';

const BEGIN = '<!-- Layers and activations: written from the rules by `npm run generate:layers`. -->';
const END = '<!-- End of layers and activations. -->';

/** What a rule's row says; structural, because the table is typed more narrowly than its rows. */
type Row = { onnx: string; isBeyondTfjs?: true } | { refused: string; isBeyondTfjs?: true };

/** `document` with the tables written anew between its two marks; without them it is a `RangeError`. */
export function withLayers(document: string): string {
  const [begin, end] = [document.indexOf(BEGIN), document.indexOf(END)];
  if (begin < 0 || end < begin) throw new RangeError(`The document lacks the marks "${BEGIN}" and "${END}" in order.`);
  return `${document.slice(0, begin + BEGIN.length)}\n\n${tables()}\n\n${document.slice(end)}`;
}

function tables(): string {
  const rows = Object.entries<Row>(LAYER_RULES);
  const converted = (isBeyondTfjs: boolean) =>
    rows.flatMap(([name, row]) =>
      'onnx' in row && (row.isBeyondTfjs ?? false) === isBeyondTfjs ? [[name, row.onnx] as const] : [],
    );
  const models = [
    ['InputLayer', 'graph input of float32, int32 or bool'],
    ['Functional', 'its layers, in place'],
    ['Model', 'its layers, in place'],
    ['Sequential', 'its layers, in place'],
  ] as const;
  const refused = rows.flatMap(([name, row]) => ('refused' in row ? [[name, row.refused] as const] : []));
  const activations = Object.entries(ACTIVATIONS).map(([name, { onnx }]) => [name, onnx] as const);
  return [
    table('Layer', 'ONNX', [...models, ...converted(false)]),
    'Layers of Keras that TensorFlow.js itself cannot load:',
    table('Layer', 'ONNX', converted(true)),
    ...(refused.length > 0
      ? ['Layers that are refused by name:', table('Layer', 'Why, and the way out', refused)]
      : []),
    '## Activations',
    table('Activation', 'ONNX', activations),
  ].join('\n\n');
}

/** Rows by name, those of one text in one row; as prettier would write it. */
function table(name: string, content: string, entries: readonly (readonly [string, string])[]): string {
  const grouped = new Map<string, string[]>();
  for (const [each, text] of entries) grouped.set(text, [...(grouped.get(text) ?? []), `\`${each}\``]);
  const rows = [...grouped].map(([text, names]) => [names.join(', '), text] as const);
  const all = [[name, content] as const, ...rows.sort(([a], [b]) => a.localeCompare(b))];
  const widths = [0, 1].map((column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const [head, ...body] = all.map(line);
  return [head, line(widths.map((width) => '-'.repeat(width))), ...body].join('\n');
}
