/**
 * The name of what happens to a picture until it is an image [28, 28], in every answer: an answer that was kept can be
 * computed again only by the same. The number goes up with every change after which some picture has other pixels.
 */
export const PREPROCESSING = 'atelier-4';
