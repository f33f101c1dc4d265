import { MAXIMUM_PIXEL } from '@atelier/domain';
import type { ImageOptions } from '../contract/image.ts';
import type { Mask, Picture } from './picture.ts';

/**
 * Whether dark has to become light so that the garment is light on black: where it is darker than its background, both by
 * their mean; `auto` aside, as the client says. Background is what `foreground` leaves, which may have a body beside the
 * garment.
 */
export function decidePolarity(
  polarity: ImageOptions['polarity'],
  grey: Picture,
  garment: Mask,
  foreground: Mask = garment,
): boolean {
  if (polarity !== 'auto') return polarity === 'invert';
  return meansOf(grey, garment).inside <= meansOf(grey, foreground).outside;
}

/** The mean brightness of what a mask holds and of what it leaves; white where it leaves nothing. */
export function meansOf({ pixels }: Picture, mask: Mask): { inside: number; outside: number } {
  let [inside, sum, count] = [0, 0, 0];
  for (let place = 0; place < pixels.length; place++) {
    const pixel = pixels[place] ?? 0;
    sum += pixel;
    if (mask.pixels[place] === 0) continue;
    inside += pixel;
    count++;
  }
  const left = pixels.length - count;
  return { inside: count === 0 ? 0 : inside / count, outside: left === 0 ? MAXIMUM_PIXEL : (sum - inside) / left };
}

/** Whether the middle of its tones is nearer to white. */
export function isLight({ pixels }: Picture): boolean {
  return (pixels.toSorted()[pixels.length >> 1] ?? 0) > MAXIMUM_PIXEL / 2;
}
