export { greyPixels, type Pixels, signedPixels } from './pixels.ts';
export { pngDataUri, pngOf } from './png.ts';
