import { pngDataUri, pngOf, type Pixels } from '@atelier/pictures';

/** A small picture with what stands below it. */
export interface Tile {
  source: string;
  width: number;
  height: number;
  /** For those who cannot see it; empty where its neighbours say it. */
  description: string;
  /** Lines of text. */
  caption: readonly string[];
}

/** A tile of `pixels`; every pixel stays a square. */
export function tileOf(pixels: Pixels, description: string, caption: readonly string[]): Tile {
  const { width, height } = pixels;
  return { source: pngDataUri(pngOf(pixels)), width, height, description, caption };
}
