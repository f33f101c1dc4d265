import { borderPlaces } from './border.ts';
import type { ColourPicture } from './picture.ts';
import { nearestTo, paletteOf } from './palette.ts';
import { fitPlane, type Plane } from './plane.ts';

/**
 * A picture's luma and colour differences (ITU-R BT.601, full range), the latter doubled: eyes and lamps change how light
 * a background is more than which colour it has. Row-major, one value a pixel each.
 */
export interface Channels {
  width: number;
  height: number;
  planes: readonly [Float32Array, Float32Array, Float32Array];
}

/** How far each pixel is from the background, and how sure that is. */
export interface BackgroundDistance {
  /** [height, width], in the units of `Channels`, at most 255. */
  distance: Uint8Array;
  /** What distances the background itself has: nine in ten of those at the border that belong to it are below. */
  noise: number;
  /** Whether the border is of one colour, but for light that changes evenly. */
  isPlain: boolean;
}

/** How much of the border says what the background is: a frame of this share of the shorter edge. */
const FRAME_SHARE = 0.03;

/** So many pixels of the frame, evenly spread, say what the others would. */
const FRAME_SAMPLES = 1024;

/** A border whose median pixel is farther from its own colour has more than one. */
const PLAIN_SPREAD = 12;

/** So much of the border may be a garment that is cut off, or lies on it. */
const FOREIGN_SHARE = 0.4;

/** Distances up to this many times the spread, and this many units, belong to the background. */
const SPREADS = 4;
const LEAST_DISTANCE = 6;

export function channelsOf({ width, height, pixels }: ColourPicture): Channels {
  const count = width * height;
  const planes = [new Float32Array(count), new Float32Array(count), new Float32Array(count)] as const;
  const [luma, blueness, redness] = planes;
  for (let place = 0, offset = 0; place < count; place++, offset += 3) {
    const [red, green, blue] = [pixels[offset] ?? 0, pixels[offset + 1] ?? 0, pixels[offset + 2] ?? 0];
    const light = 0.299 * red + 0.587 * green + 0.114 * blue;
    luma[place] = light;
    blueness[place] = 1.128 * (blue - light);
    redness[place] = 1.426 * (red - light);
  }
  return { width, height, planes };
}

/** Takes the border for background: one colour that changes evenly over the picture, or, failing that, a few colours. */
export function distanceFromBackground(channels: Channels): BackgroundDistance {
  const { width, height } = channels;
  const frame = sampled(borderPlaces(channels, Math.max(1, Math.round(FRAME_SHARE * Math.min(width, height)))));
  const plain = fromPlanes(
    channels,
    channels.planes.map((values) => fitPlane(values, width, frame)),
  );
  const plainNoise = noiseOf(plain, frame);
  if (plainNoise.spread <= PLAIN_SPREAD && plainNoise.foreign <= FOREIGN_SHARE) {
    return { distance: plain, noise: plainNoise.noise, isPlain: true };
  }
  const mixed = nearestTo(channels, paletteOf(channels, frame));
  return { distance: mixed, noise: noiseOf(mixed, frame).noise, isPlain: false };
}

function sampled(places: Int32Array): Int32Array {
  const step = Math.max(1, places.length / FRAME_SAMPLES);
  const samples = new Int32Array(Math.min(places.length, FRAME_SAMPLES));
  for (let index = 0; index < samples.length; index++) samples[index] = places[Math.floor(index * step)] ?? 0;
  return samples;
}

function fromPlanes({ width, height, planes }: Channels, colours: readonly Plane[]): Uint8Array {
  const distance = new Uint8Array(width * height);
  const [luma, blueness, redness] = planes;
  const [lumaPlane, bluePlane, redPlane] = colours as [Plane, Plane, Plane];
  for (let y = 0, place = 0; y < height; y++) {
    for (let x = 0; x < width; x++, place++) {
      const light = (luma[place] ?? 0) - (lumaPlane.level + lumaPlane.perColumn * x + lumaPlane.perRow * y);
      const blue = (blueness[place] ?? 0) - (bluePlane.level + bluePlane.perColumn * x + bluePlane.perRow * y);
      const red = (redness[place] ?? 0) - (redPlane.level + redPlane.perColumn * x + redPlane.perRow * y);
      distance[place] = Math.min(255, Math.sqrt(light * light + blue * blue + red * red));
    }
  }
  return distance;
}

function noiseOf(distance: Uint8Array, frame: Int32Array): { spread: number; noise: number; foreign: number } {
  const sorted = new Uint8Array(frame.length);
  for (let index = 0; index < frame.length; index++) sorted[index] = distance[frame[index] ?? 0] ?? 0;
  sorted.sort();
  const spread = sorted[sorted.length >> 1] ?? 0;
  const limit = Math.max(LEAST_DISTANCE, SPREADS * spread);
  const own = sorted.findLastIndex((value) => value <= limit) + 1;
  return { spread, noise: sorted[Math.floor(0.9 * (own - 1))] ?? 0, foreign: 1 - own / sorted.length };
}
