/** Red, green and blue, 0 to 255 each, row-major. */
export interface Pixels {
  width: number;
  height: number;
  /** [height, width, 3] */
  data: Uint8Array;
}

/** Negative, zero, positive: told apart by any colour vision, and in print by their darkness from zero. */
const NEGATIVE = [178, 74, 0] as const;
const ZERO = [247, 247, 247] as const;
const POSITIVE = [0, 84, 148] as const;
/** Where there is no value. */
const NOTHING = [200, 200, 200] as const;

/** Brightness [height, width], 0 black to 255 white, as a picture. */
export function greyPixels(brightness: Uint8Array, width: number): Pixels {
  const data = Uint8Array.from({ length: brightness.length * 3 }, (_, place) => brightness[Math.floor(place / 3)] ?? 0);
  return { width, height: brightness.length / width, data };
}

/**
 * Values in rows of `width` as a picture: `largest` and above is blue, 0 is nearly white, `-largest` and below is orange,
 * NaN and the end of a row that is not full are grey.
 */
export function signedPixels(values: Float32Array, width: number, largest: number): Pixels {
  const height = Math.ceil(values.length / width);
  const data = new Uint8Array(width * height * 3);
  for (let place = 0; place < width * height; place++) {
    data.set(signedColour((values[place] ?? NaN) / (largest || 1)), place * 3);
  }
  return { width, height, data };
}

function signedColour(value: number): readonly number[] {
  if (Number.isNaN(value)) return NOTHING;
  const end = value < 0 ? NEGATIVE : POSITIVE;
  const share = Math.min(1, Math.abs(value));
  return ZERO.map((zero, channel) => Math.round(zero + ((end[channel] ?? 0) - zero) * share));
}
