/** A grey picture: one byte a pixel, row-major, `width`·`height` of them; both at least 1. */
export interface Picture {
  width: number;
  height: number;
  pixels: Uint8Array;
}
