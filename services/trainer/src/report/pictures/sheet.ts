import type { Tile } from '@atelier/reports';
import type { PictureSet } from '../contents.ts';

const GAP = 10;
const LINE_HEIGHT = 14;
const FONT_SIZE = 11;

/** The tiles of a set in its columns as one SVG, for a PNG file: the page itself shows them one by one, so that they flow. */
export function sheetSvg({ tiles, columns, tileWidth }: Pick<PictureSet, 'tiles' | 'columns' | 'tileWidth'>): string {
  const lines = Math.max(0, ...tiles.map(({ caption }) => caption.length));
  const pictureHeight = Math.max(0, ...tiles.map(({ width, height }) => (height / width) * tileWidth));
  const rowHeight = pictureHeight + lines * LINE_HEIGHT + GAP + (lines > 0 ? GAP / 2 : 0);
  const width = Math.min(columns, tiles.length) * (tileWidth + GAP) + GAP;
  const height = Math.ceil(tiles.length / columns) * rowHeight + GAP;
  const content = tiles.map((tile, index) => {
    const left = GAP + (index % columns) * (tileWidth + GAP);
    const top = GAP + Math.floor(index / columns) * rowHeight;
    return tileSvg(tile, left, top, tileWidth);
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="sans-serif" font-size="${FONT_SIZE}">${content.join('')}</svg>`;
}

function tileSvg({ source, width, height, caption }: Tile, left: number, top: number, tileWidth: number): string {
  const pictureHeight = (height / width) * tileWidth;
  const texts = caption.map((line, index) => {
    const y = top + pictureHeight + (index + 1) * LINE_HEIGHT;
    return `<text x="${left}" y="${y}">${line.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</text>`;
  });
  return `<image x="${left}" y="${top}" width="${tileWidth}" height="${pictureHeight}" image-rendering="optimizeSpeed" href="${source}"/>${texts.join('')}`;
}
