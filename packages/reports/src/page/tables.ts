import { percent } from '../format.ts';
import { type Content, type Markup, markup } from './markup.ts';

export interface Column<Row> {
  title: string;
  cell: (row: Row) => Content;
  /** Text is flush left on one line, prose breaks its lines, numbers are flush right. Default: number. */
  kind?: 'text' | 'prose' | 'number';
}

/** A table that scrolls by itself where it is wider than the page; the first cell of a row is its heading. */
export function table<Row>(caption: string, columns: readonly Column<Row>[], rows: readonly Row[]): Markup {
  const kind = (column: Column<Row>) => column.kind ?? 'number';
  const head = columns.map((column) => markup`<th scope="col" class="${kind(column)}">${column.title}</th>`);
  const body = rows.map((row) => {
    const cells = columns.map((column, index) =>
      index === 0
        ? markup`<th scope="row" class="${kind(column)}">${column.cell(row)}</th>`
        : markup`<td class="${kind(column)}">${column.cell(row)}</td>`,
    );
    return markup`<tr>${cells}</tr>\n`;
  });
  return markup`<div class="scroll" tabindex="0" role="region" aria-label="${caption}"><table>
<caption>${caption}</caption>
<thead><tr>${head}</tr></thead>
<tbody>
${body}</tbody>
</table></div>`;
}

/** Names and what they are; a null value is left out. */
export function facts(entries: readonly (readonly [string, Content])[]): Markup {
  return markup`<dl class="facts">${entries
    .filter(([, value]) => value !== null)
    .map(([name, value]) => markup`<div><dt>${name}</dt><dd>${value}</dd></div>\n`)}</dl>`;
}

/** The numbers that count, large, each with a word on it. */
export function keyFigures(entries: readonly (readonly [name: string, value: string, note: Content])[]): Markup {
  return markup`<dl class="figures">${entries.map(
    ([name, value, note]) => markup`<div><dt>${name}</dt><dd>${value}</dd><dd class="muted">${note}</dd></div>\n`,
  )}</dl>`;
}

/** For a cell: a share of 0 to 1 as a number, and behind it as a bar. */
export function shareBar(share: number): Markup {
  return markup`<span class="bar" style="--share: ${share.toFixed(4)}">${percent(share)}</span>`;
}
