/**
 * The one image form inside Atelier: 28×28, one byte a pixel, row-major, 0 = background (black), 255 = brightest
 * garment. It is the data set's own form; whatever turns an upload into it lives in the inference service.
 */
export const IMAGE_HEIGHT = 28;
export const IMAGE_WIDTH = 28;
export const PIXELS_PER_IMAGE = IMAGE_HEIGHT * IMAGE_WIDTH;
export const MAXIMUM_PIXEL = 255;
