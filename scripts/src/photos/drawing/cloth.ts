import type { Draw } from './draw.ts';

/** The colours that a garment is drawn in, as SVG paints. */
export interface Cloth {
  /** Colour, or reference to a pattern in `definitions`. */
  body: string;
  /** Darker than the body: seams, outlines, folds, openings. */
  seam: string;
  /** Lighter than the body: shine. */
  shine: string;
  /** Of what is of another stuff: soles, buttons, prints, stripes. */
  accent: string;
  /** Plain colour of the body, where a pattern would disturb. */
  plain: string;
  definitions: string;
}

export type Tone = 'light' | 'middle' | 'dark';

const LIGHTNESS: Record<Tone, readonly [number, number]> = { light: [74, 93], middle: [44, 58], dark: [9, 27] };

export const PATTERNS = ['plain', 'plain', 'plain', 'plain', 'plain', 'stripes', 'checks', 'dots', 'knit'] as const;
export type Pattern = (typeof PATTERNS)[number];

/** What shoes and bags are made of. */
export const LEATHER: readonly Pattern[] = ['plain', 'plain', 'plain', 'plain', 'plain', 'dots', 'checks'];

/** Cloth of a tone; four in nine have a pattern where `patterns` does not say which there are. */
export function clothOf(tone: Tone, draw: Draw, patterns: readonly Pattern[] = PATTERNS): Cloth {
  const [low, high] = LIGHTNESS[tone];
  const lightness = draw.between(low, high);
  const hue = Math.round(draw.between(0, 360));
  const saturation = draw.pick([3, 8, 20, 35, 55]);
  const shade = (change: number, tint = saturation) =>
    `hsl(${hue}, ${tint}%, ${Math.min(98, Math.max(2, lightness + change)).toFixed(0)}%)`;
  const plain = shade(0);
  const accent = draw.chance(0.5)
    ? shade(lightness > 50 ? -45 : 45, 10)
    : `hsl(${(hue + 150) % 360}, 45%, ${lightness > 50 ? 30 : 72}%)`;
  const { paint, definitions } = patternOf(draw.pick(patterns), plain, shade(lightness > 50 ? -16 : 14), draw);
  return { body: paint, seam: shade(lightness > 25 ? -20 : 16), shine: shade(14), accent, plain, definitions };
}

function patternOf(pattern: Pattern, plain: string, other: string, draw: Draw): { paint: string; definitions: string } {
  if (pattern === 'plain') return { paint: plain, definitions: '' };
  const size = draw.between(26, 60);
  const turn = pattern === 'stripes' ? draw.pick([0, 90]) : 0;
  const definitions = `<pattern id="cloth" width="${size.toFixed(0)}" height="${size.toFixed(0)}" patternUnits="userSpaceOnUse" patternTransform="rotate(${turn})"><rect width="100" height="100" fill="${plain}"/>${MARKS[pattern](size, other)}</pattern>`;
  return { paint: 'url(#cloth)', definitions };
}

/** What is drawn on each square of a pattern, `size` wide and high. */
const MARKS: Record<Exclude<Pattern, 'plain'>, (size: number, colour: string) => string> = {
  stripes: (size, colour) => `<rect width="100" height="${(size * 0.45).toFixed(0)}" fill="${colour}"/>`,
  checks: (size, colour) =>
    `<rect width="100" height="${(size * 0.3).toFixed(0)}" fill="${colour}" opacity="0.8"/><rect height="100" width="${(size * 0.3).toFixed(0)}" fill="${colour}" opacity="0.8"/>`,
  dots: (size, colour) =>
    `<circle cx="${(size / 2).toFixed(0)}" cy="${(size / 2).toFixed(0)}" r="${(size * 0.24).toFixed(0)}" fill="${colour}"/>`,
  knit: (size, colour) =>
    `<path d="M0 0L${(size / 2).toFixed(0)} ${(size / 2).toFixed(0)}L${size.toFixed(0)} 0" stroke="${colour}" stroke-width="5" fill="none"/>`,
};
