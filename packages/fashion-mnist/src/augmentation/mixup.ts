import { CLASS_COUNT, PIXELS_PER_IMAGE } from '@atelier/domain';
import { randomBeta } from 'd3-random';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { shuffleInPlace } from '../shuffle.ts';
import { sliceTraining, type TrainingExamples } from '../training-examples.ts';
import type { AugmentationStep } from './step.ts';

/** Weights are whole numbers of 65,536ths, the same for image and target. */
const ONE = 0x10000;

/**
 * Mixes each image with another one, and their targets alike (arXiv 1710.09412, with a weight for each pair instead of
 * each batch). The images form one ring in random order, in which each is mixed with the next: so all are used alike,
 * none meets itself, and a copy of the first is enough to work in place.
 */
export const mixup: AugmentationStep = {
  isAsked: (settings) => settings.mixup !== null,
  apply(examples, settings, generator) {
    if (settings.mixup === null || examples.count === 0) return;
    const { alpha } = settings.mixup;
    const ring = Uint32Array.from({ length: examples.count }, (_, index) => index);
    shuffleInPlace(ring, generator);
    const drawWeight = randomBeta.source(() => uniformFloat64(generator))(alpha, alpha);
    const exampleAt = (index: number) => sliceTraining(examples, index, index + 1);
    let current = exampleAt(ring[0] ?? 0);
    const first = { count: 1, images: current.images.slice(), targets: current.targets.slice() };
    for (const index of ring.subarray(1)) {
      const next = exampleAt(index);
      mixInto(current, next, Math.round(drawWeight() * ONE));
      current = next;
    }
    mixInto(current, first, Math.round(drawWeight() * ONE));
  },
};

/** Gives `example` `weight` 65,536ths and `other` the rest. */
function mixInto(example: TrainingExamples, other: TrainingExamples, weight: number): void {
  const otherWeight = ONE - weight;
  const { images } = example;
  const { images: otherImages } = other;
  for (let pixel = 0; pixel < PIXELS_PER_IMAGE; pixel++) {
    const mixed = Math.imul(images[pixel] ?? 0, weight) + Math.imul(otherImages[pixel] ?? 0, otherWeight);
    images[pixel] = (mixed + ONE / 2) >> 16;
  }
  for (let index = 0; index < CLASS_COUNT; index++) {
    const mixed = (example.targets[index] ?? 0) * weight + (other.targets[index] ?? 0) * otherWeight;
    example.targets[index] = mixed / ONE;
  }
}
