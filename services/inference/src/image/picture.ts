/** A grey picture: one byte a pixel, row-major, `width`·`height` of them; both at least 1. */
export interface Picture {
  width: number;
  height: number;
  pixels: Uint8Array;
}

/** A picture in 8-bit sRGB: red, green, blue of each pixel, row-major. */
export interface ColourPicture extends Picture {
  /** [height, width, 3] */
  pixels: Uint8Array;
}

/** Which pixels of a picture belong to something: 1 for those, 0 for the others, row-major. */
export interface Mask extends Picture {
  /** [height, width] */
  pixels: Uint8Array;
}
