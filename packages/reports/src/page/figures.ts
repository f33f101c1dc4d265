import type { DrawnChart } from '../charts/chart.ts';
import type { Tile } from './tile.ts';
import { type Content, Markup, markup } from './markup.ts';

/** A chart with its title; `note` stands below it. */
export function chartFigure({ title, description, svg }: DrawnChart, note: Content = null): Markup {
  return markup`<figure class="chart">
<h3>${title}</h3>
<div role="img" aria-label="${title}. ${description}">${Markup.trusted(svg)}</div>
${note === null ? null : markup`<figcaption>${note}</figcaption>`}
</figure>`;
}

/** Pictures that flow, each with its caption. */
export function pictureGrid({ tiles }: { tiles: readonly Tile[] }): Markup {
  return markup`<div class="pictures">${tiles.map((tile) => picture(tile))}</div>`;
}

/** Pictures without captions, told as one. */
export function pictureWall({ tiles }: { tiles: readonly Tile[] }, description: string): Markup {
  return markup`<div class="wall" role="img" aria-label="${description}">${tiles.map(image)}</div>`;
}

/** A line for every `columns` pictures. */
export function pictureRows({ tiles, columns }: { tiles: readonly Tile[]; columns: number }): Markup {
  const rows = Array.from({ length: Math.ceil(tiles.length / columns) }, (_, row) =>
    tiles.slice(row * columns, (row + 1) * columns),
  );
  return markup`<div class="rows">${rows.map((row) => markup`<div class="row">${row.map(picture)}</div>`)}</div>`;
}

function picture(tile: Tile): Markup {
  const [first, ...more] = tile.caption;
  return markup`<figure class="picture">${image(tile)}<figcaption>${first ?? null}${more.map(
    (line) => markup`<span>${line}</span>`,
  )}</figcaption></figure>`;
}

function image({ source, width, height, description }: Tile): Markup {
  return markup`<img src="${source}" width="${width}" height="${height}" alt="${description}">`;
}
