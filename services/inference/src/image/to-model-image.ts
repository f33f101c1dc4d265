import type { ImageOptions, ImageWarning } from '../contract/image.ts';
import { centre } from './centre.ts';
import { cropped } from './crop.ts';
import { hasModelForm, hasModelSize, negate } from './data-set-form.ts';
import type { Decisions } from './facts.ts';
import { findGarment } from './find-garment.ts';
import { fit } from './fit.ts';
import { flatten, type LayeredPicture } from './flatten.ts';
import { greyOf } from './grey.ts';
import { onBlack } from './on-black.ts';
import type { Picture } from './picture.ts';
import { decidePolarity, isLight, meansOf } from './polarity.ts';
import { stretched } from './stretch.ts';
import { withoutBody } from './without-body.ts';

export interface Prepared extends Decisions {
  /** [28, 28], 0 = background, 255 = brightest garment. */
  image: Uint8Array;
}

/**
 * The picture as the data set would hold it (arXiv 1708.07747, section 2): light on black, the garment's longest edge
 * 28 pixels, centred. A picture that already has that form, or its negative, keeps every pixel.
 */
export async function toModelImage(layered: LayeredPicture, options: ImageOptions): Promise<Prepared> {
  const flat = flatten(layered);
  const grey = greyOf(flat.picture);
  const asItIs = flat.opacity === null ? untouched(grey, options.polarity) : undefined;
  if (asItIs !== undefined) return asItIs;
  const { isPlain, garment } = findGarment(flat);
  if (garment?.isPlausible !== true) return wholePicture(grey, isPlain && garment === null, options);
  const { atEdge } = garment;
  const { mask, box } = withoutBody(flat.picture, garment) ?? garment;
  const inverted = decidePolarity(options.polarity, grey, mask, garment.mask);
  const { picture, isFaint } = onBlack(grey, mask, meansOf(grey, garment.mask).outside, inverted);
  const crop = options.crop === 'auto' ? box : null;
  const warnings: ImageWarning[] = [];
  if (!isPlain) warnings.push('busy-background');
  if (isFaint) warnings.push('low-contrast');
  if (atEdge > 0) warnings.push('touches-border');
  const image = centre(await fit(crop === null ? picture : cropped(picture, crop)));
  return { image, inverted, crop, background: isPlain ? 'plain' : 'busy', warnings };
}

/** A picture of 28×28 as the client, or its border, says that it is meant; undefined for any other. */
function untouched(grey: Picture, polarity: ImageOptions['polarity']): Prepared | undefined {
  if (!hasModelSize(grey)) return undefined;
  if (polarity === 'keep' || (polarity === 'auto' && hasModelForm(grey))) return asItCame(grey, false);
  const negative = negate(grey);
  if (polarity === 'invert' || hasModelForm(negative)) return asItCame(negative, true);
  return undefined;
}

function asItCame({ pixels }: Picture, inverted: boolean): Prepared {
  return { image: pixels, inverted, crop: null, background: 'none', warnings: [] };
}

/** All of it, with as much contrast as it can have, where there is no garment or it cannot be told from what is around it. */
async function wholePicture(grey: Picture, isBlank: boolean, { polarity }: ImageOptions): Promise<Prepared> {
  const inverted = polarity === 'auto' ? isLight(grey) : polarity === 'invert';
  const image = centre(await fit(stretched(inverted ? negate(grey) : grey)));
  const background = isBlank ? 'none' : 'busy';
  return { image, inverted, crop: null, background, warnings: [isBlank ? 'no-garment' : 'busy-background'] };
}
