import type { RecipeSource } from '@atelier/domain';
import { atelier } from './atelier.ts';

/**
 * Ours, for photos that the service prepared: the network and the teacher of `atelier`, which see garments of other sizes,
 * proportions and angles, with their tones reversed, and beside what is left of a background. That makes a network of this
 * size underfit, so it is regularised less otherwise. All of it was chosen on drawn photos and validation images; ADR 23.
 */
export const atelierPhotos: RecipeSource = {
  ...atelier,
  name: 'atelier-photos',
  description: 'Ours, for photos: as atelier, on images that are warped, toned and littered as prepared photos are',
  hiddenLayers: atelier.hiddenLayers.map((layer) => ({ ...layer, dropout: 0.05 })),
  distillation: atelier.distillation && { ...atelier.distillation, share: 0.7 },
  epochs: 100,
  augmentation: {
    mirrorProbability: 0.5,
    scale: 0.12,
    aspect: 0.2,
    rotationDegrees: 7,
    shiftPixels: 1.2,
    toneReversal: 0.2,
    contrast: 0.3,
    remnantProbability: 0.2,
    mixup: { alpha: 0.2 },
  },
};
