import type { ColourPicture, Picture } from './picture.ts';

/**
 * Luma of 8-bit sRGB (ITU-R BT.601). By hand, because it gives a grey pixel its own value back, where libvips' way
 * through linear light is off by one for some 16-bit files.
 */
export function greyOf({ width, height, pixels }: ColourPicture): Picture {
  const grey = new Uint8Array(width * height);
  for (let place = 0, offset = 0; place < grey.length; place++, offset += 3) {
    const [red, green, blue] = [pixels[offset] ?? 0, pixels[offset + 1] ?? 0, pixels[offset + 2] ?? 0];
    grey[place] = (299 * red + 587 * green + 114 * blue + 500) / 1000;
  }
  return { width, height, pixels: grey };
}
