import { MAXIMUM_PIXEL } from '@atelier/domain';
import type { ColourPicture, Picture } from './picture.ts';

/** A picture as it was decoded: grey or red, green, blue, and behind them how opaque the pixel is; row-major. */
export interface LayeredPicture extends Picture {
  channels: number;
  /** [height, width, channels] */
  pixels: Uint8Array;
}

export interface FlatPicture {
  picture: ColourPicture;
  /** How opaque each pixel was, [height, width]; null where all of them were. */
  opacity: Uint8Array | null;
}

/** The picture on white, as the data set's were. */
export function flatten({ width, height, channels, pixels }: LayeredPicture): FlatPicture {
  if (channels === 3) return { picture: { width, height, pixels }, opacity: null };
  const isGrey = channels < 3;
  const hasOpacity = channels % 2 === 0;
  const flat = new Uint8Array(width * height * 3);
  const opacity = new Uint8Array(width * height);
  let isOpaque = true;
  for (let place = 0; place < opacity.length; place++) {
    const start = place * channels;
    const alpha = hasOpacity ? (pixels[start + channels - 1] ?? 0) : MAXIMUM_PIXEL;
    isOpaque &&= alpha === MAXIMUM_PIXEL;
    opacity[place] = alpha;
    for (let channel = 0; channel < 3; channel++) {
      const value = pixels[isGrey ? start : start + channel] ?? 0;
      flat[place * 3 + channel] = MAXIMUM_PIXEL + Math.round(((value - MAXIMUM_PIXEL) * alpha) / MAXIMUM_PIXEL);
    }
  }
  return { picture: { width, height, pixels: flat }, opacity: isOpaque ? null : opacity };
}
