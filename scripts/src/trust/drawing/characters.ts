import { fileURLToPath } from 'node:url';
import { renderAsync } from '@resvg/resvg-js';
import type { Grey } from './grey.ts';
import type { Random } from './random.ts';

export const DIGITS = [...'0123456789'];
export const LETTERS = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'];

interface Font {
  family: string;
  file: string;
  attributes: string;
}

const font = (family: string, specifier: string, attributes = ''): Font => ({
  family,
  file: fileURLToPath(specifier),
  attributes,
});

/** A sans serif from thin to heavy, a serif, and one that looks written. */
export const PRINTED: readonly Font[] = [
  font(
    'Source Sans 3',
    import.meta.resolve('@expo-google-fonts/source-sans-3/300Light/SourceSans3_300Light.ttf'),
    'font-weight="300"',
  ),
  font('Source Sans 3', import.meta.resolve('@expo-google-fonts/source-sans-3/400Regular/SourceSans3_400Regular.ttf')),
  font(
    'Source Sans 3',
    import.meta.resolve('@expo-google-fonts/source-sans-3/900Black/SourceSans3_900Black.ttf'),
    'font-weight="900"',
  ),
  font('Old Standard TT', import.meta.resolve('@expo-google-fonts/old-standard-tt/OldStandardTT_400Regular.ttf')),
  font(
    'Old Standard TT',
    import.meta.resolve('@expo-google-fonts/old-standard-tt/OldStandardTT_700Bold.ttf'),
    'font-weight="700"',
  ),
];
export const WRITTEN: readonly Font[] = [
  font('Patrick Hand', import.meta.resolve('@expo-google-fonts/patrick-hand/400Regular/PatrickHand_400Regular.ttf')),
];

/** Side of the square in which a character is drawn, in pixels. */
const CELL = 96;
const COLUMNS = 16;

/** Each character in each font, white on black. */
export async function characters(texts: readonly string[], fonts: readonly Font[]): Promise<Grey[]> {
  const cells = fonts.flatMap(({ family, attributes }) =>
    texts.map((text) => {
      const place = `x="${CELL / 2}" y="${CELL * 0.72}" text-anchor="middle" font-size="${CELL * 0.7}"`;
      return `<text font-family="${family}" ${attributes} ${place} fill="#fff">${text}</text>`;
    }),
  );
  return rendered(
    cells,
    fonts.map(({ file }) => file),
  );
}

/** How a pen draws each digit, in a square of 100. */
const STROKES: readonly string[] = [
  'M50 8C20 8 18 92 50 92C82 92 80 8 50 8Z',
  'M35 25L55 8L55 92',
  'M22 28C25 2 80 2 76 35C72 58 35 70 22 92L82 90',
  'M24 16C50 0 84 14 72 38C66 48 50 48 44 48C64 46 86 58 74 82C62 100 32 94 20 82',
  'M64 92L64 8L18 64L84 64',
  'M76 10L32 10L28 46C52 34 82 46 76 72C70 98 34 96 20 82',
  'M70 12C40 16 20 50 24 74C30 98 72 98 76 72C78 46 36 46 26 68',
  'M20 12L80 12C60 40 46 66 42 92',
  'M50 48C16 36 24 8 50 8C76 8 84 36 50 48C10 62 18 92 50 92C82 92 90 62 50 48',
  'M76 36C72 4 26 4 24 34C24 62 72 58 76 32C76 56 72 78 62 92',
];

/** Digits as a pen draws them: slanted, turned and narrow as it comes, with thin lines and thick. */
export async function writtenDigits(count: number, random: Random): Promise<Grey[]> {
  const cells = Array.from({ length: count }, () => {
    const slant = 12 * random.normal();
    const turn = 8 * random.normal();
    const narrow = random.between(0.6, 1);
    const move = `translate(${CELL / 2} ${CELL / 2}) rotate(${turn}) skewX(${slant}) scale(${0.7 * narrow} 0.7) translate(-50 -50)`;
    const pen = `fill="none" stroke="#fff" stroke-linecap="round" stroke-linejoin="round" stroke-width="${random.between(5, 16)}"`;
    return `<path transform="${move}" ${pen} d="${random.pick(STROKES)}"/>`;
  });
  return rendered(cells, []);
}

/** Each piece of SVG in a square of its own, as white on black; text is set in the fonts of these files. */
async function rendered(cells: readonly string[], fontFiles: readonly string[]): Promise<Grey[]> {
  const rows = Math.ceil(cells.length / COLUMNS);
  const [width, height] = [COLUMNS * CELL, rows * CELL];
  const placed = cells.map((cell, index) => {
    const [x, y] = [(index % COLUMNS) * CELL, Math.floor(index / COLUMNS) * CELL];
    return `<svg x="${x}" y="${y}" width="${CELL}" height="${CELL}">${cell}</svg>`;
  });
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><rect width="${width}" height="${height}"/>${placed.join('')}</svg>`;
  const { pixels } = await renderAsync(svg, { font: { loadSystemFonts: false, fontFiles: [...fontFiles] } });
  return cells.map((_, index) => {
    const values = new Float64Array(CELL * CELL);
    const [left, top] = [(index % COLUMNS) * CELL, Math.floor(index / COLUMNS) * CELL];
    for (let y = 0; y < CELL; y++) {
      for (let x = 0; x < CELL; x++) values[y * CELL + x] = pixels[4 * ((top + y) * width + left + x)] ?? 0;
    }
    return { width: CELL, height: CELL, values };
  });
}
