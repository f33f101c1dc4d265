import { className, IMAGE_WIDTH } from '@atelier/domain';
import { greyPixels, signedPixels } from '@atelier/pictures';
import { percent, tileOf } from '@atelier/reports';
import type { Activations } from './activations.ts';
import type { ClassifiedImage } from './classified-images.ts';
import type { PictureSet } from './contents.ts';
import type { FirstLayer } from './first-layer.ts';
import type { TrainingSample } from './samples.ts';

export function samplePictures(samples: readonly TrainingSample[]): PictureSet {
  const tiles = samples.map(({ pixels, classes }) => {
    const isMixed = classes.length > 1;
    const caption = classes.map(({ name, share }) => (isMixed ? `${name} ${percent(share, 0)}` : name));
    return tileOf(greyPixels(pixels, IMAGE_WIDTH), `Training image: ${caption.join(', ')}`, caption);
  });
  return { name: 'samples', tiles, columns: 10, tileWidth: 72 };
}

export function correctPictures(images: readonly ClassifiedImage[]): PictureSet {
  const tiles = images.map(({ pixels, label, confidence }) => {
    const [name, share] = [className(label), percent(confidence, 1)];
    return tileOf(greyPixels(pixels, IMAGE_WIDTH), `${name}, recognised with ${share}`, [name, share]);
  });
  return { name: 'correct', tiles, columns: 10, tileWidth: 72 };
}

export function mistakePictures(images: readonly ClassifiedImage[]): PictureSet {
  const tiles = images.map(({ pixels, label, predicted, confidence }) => {
    const taken = `${className(predicted)} ${percent(confidence, 1)}`;
    const description = `${className(label)}, taken for ${taken}`;
    return tileOf(greyPixels(pixels, IMAGE_WIDTH), description, [taken, `is ${className(label)}`]);
  });
  return { name: 'mistakes', tiles, columns: 7, tileWidth: 104 };
}

/** Each unit on a scale of its own. */
export function firstLayerPictures({ shown }: FirstLayer): PictureSet {
  const tiles = shown.map(({ weights }) => tileOf(signedPixels(weights, IMAGE_WIDTH, largestOf([weights])), '', []));
  return { name: 'first-layer', tiles, columns: 16, tileWidth: 56 };
}

/** For each image its picture and then one of each layer; a layer has one scale for all images. */
export function activationPictures({ layers, images }: Activations): PictureSet {
  const scales = layers.map((_, layer) => largestOf(images.map(({ values }) => values[layer] ?? new Float32Array())));
  const tiles = images.flatMap(({ pixels, label, predicted, values }) => {
    const name = className(label);
    const verdict = label === predicted ? [name] : [name, `taken for ${className(predicted)}`];
    return [
      tileOf(greyPixels(pixels, IMAGE_WIDTH), verdict.join(', '), verdict),
      ...values.map((activation, layer) =>
        tileOf(
          signedPixels(activation, columnsFor(activation.length), scales[layer] ?? 0),
          `${name}: what hidden layer ${layer + 1} gives`,
          [`Layer ${layer + 1}: ${activation.length} units`],
        ),
      ),
    ];
  });
  return { name: 'activations', tiles, columns: layers.length + 1, tileWidth: 140 };
}

/** Of a picture of `units` pixels: as wide as high or twice as wide, and full where `units` is a power of two. */
function columnsFor(units: number): number {
  return 2 ** Math.ceil(Math.log2(Math.sqrt(units)));
}

function largestOf(arrays: readonly Float32Array[]): number {
  let largest = 0;
  for (const values of arrays) for (const value of values) largest = Math.max(largest, Math.abs(value));
  return largest;
}
