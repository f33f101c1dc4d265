import { IMAGE_WIDTH } from '@atelier/domain';
import type { ImageFacts, ImageWarning } from '../contract/image.ts';
import type { Header } from './header.ts';
import type { Rectangle } from './rectangle.ts';

/** What the pipeline decided about a picture; the crop in pixels of the picture as it was decoded. */
export interface Decisions {
  inverted: boolean;
  crop: Rectangle | null;
  background: ImageFacts['background'];
  warnings: ImageWarning[];
}

/** A garment with fewer pixels along its longest edge has lost what tells it from others. */
const TINY_EDGE = 14;

/** The decisions as they are told before a model was asked, in pixels of the upright original; warns of a garment with few pixels. */
export function factsOf(
  { format, width, height }: Header,
  decoded: { width: number; height: number },
  { inverted, crop, background, warnings }: Decisions,
): ImageFacts {
  const original =
    crop && enlarged(crop, { width: width / decoded.width, height: height / decoded.height }, { width, height });
  const longest = Math.max(original?.width ?? width, original?.height ?? height);
  const few: ImageWarning[] = longest < TINY_EDGE ? ['tiny'] : longest < IMAGE_WIDTH ? ['upscaled'] : [];
  return {
    width,
    height,
    format,
    inverted,
    mirrored: false,
    crop: original,
    background,
    warnings: [...warnings, ...few].sort(),
  };
}

/** The rectangle in a picture that is `scale` times as large and `bounds` in size. */
function enlarged(
  { left, top, width, height }: Rectangle,
  scale: { width: number; height: number },
  bounds: { width: number; height: number },
): Rectangle {
  const x = Math.round(left * scale.width);
  const y = Math.round(top * scale.height);
  const right = Math.min(bounds.width, Math.round((left + width) * scale.width));
  const bottom = Math.min(bounds.height, Math.round((top + height) * scale.height));
  return { left: x, top: y, width: Math.max(1, right - x), height: Math.max(1, bottom - y) };
}
