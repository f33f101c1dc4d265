export { greyPixels, type Pixels, signedPixels } from './pixels.ts';
export { greyPngOf, pngDataUri, pngOf } from './png.ts';
