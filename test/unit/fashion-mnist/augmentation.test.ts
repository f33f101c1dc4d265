import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import type { AugmentationSource } from '@atelier/domain';
import { augment, type TrainingExamples, withTargets } from '@atelier/fashion-mnist';
import { drawnExamples } from './drawn-dataset.ts';

const PIXELS = 784;

const everything: AugmentationSource = {
  mirrorProbability: 0.5,
  shiftPixels: 2,
  scale: 0.1,
  aspect: 0.1,
  rotationDegrees: 10,
  toneReversal: 0.3,
  contrast: 0.2,
  remnantProbability: 0.3,
  erasing: { probability: 0.5, maximumArea: 0.2 },
  mixup: { alpha: 0.4 },
};
const drawn = (count: number) => withTargets(drawnExamples(count), 0);
/** What `augment` makes of a copy. */
function augmented(given: TrainingExamples, settings: AugmentationSource, seed: number, epoch: number) {
  const examples = { ...given, images: given.images.slice(), targets: given.targets.slice() };
  augment(examples, settings, seed, epoch);
  return examples;
}
const imagesOf = ({ images }: TrainingExamples) =>
  Array.from({ length: images.length / PIXELS }, (_, index) => images.slice(index * PIXELS, (index + 1) * PIXELS));

/** `count` copies of an image whose pixels `level` gives by row and column. */
function copies(count: number, level: (row: number, column: number) => number): TrainingExamples {
  const image = Uint8Array.from({ length: PIXELS }, (_, index) => level(Math.floor(index / 28), index % 28));
  const images = new Uint8Array(count * PIXELS);
  for (let index = 0; index < count; index++) images.set(image, index * PIXELS);
  return withTargets({ images, labels: new Uint8Array(count), count }, 0);
}

/** A bright blob in the middle, a bell with these deviations in pixels: smooth, so that sampling does not distort it. */
const blob = (count: number, height: number, width: number) =>
  copies(count, (row, column) => 250 * Math.exp(-(((row - 13.5) / height) ** 2 + ((column - 13.5) / width) ** 2) / 2));

/** Sum of the grey levels, their middle in pixels right of and below the image's, and their spread about it. */
function moments(image: Uint8Array) {
  const weighted = (value: (x: number, y: number) => number) =>
    image.reduce((sum, level, index) => sum + level * value((index % 28) - 13.5, Math.floor(index / 28) - 13.5), 0);
  const mass = weighted(() => 1);
  const [x, y] = [weighted((right) => right) / mass, weighted((_, down) => down) / mass];
  const spread = (value: (right: number, down: number) => number) =>
    weighted((right, down) => value(right - x, down - y)) / mass;
  const [xx, yy, xy] = [spread((r) => r * r), spread((_, d) => d * d), spread((r, d) => r * d)];
  return {
    mass,
    x,
    y,
    width: Math.sqrt(xx),
    height: Math.sqrt(yy),
    degrees: (90 / Math.PI) * Math.atan2(2 * xy, xx - yy),
  };
}

const smallest = (values: number[]) => Math.min(...values);
const largest = (values: number[]) => Math.max(...values);

describe('augmentation', () => {
  test('that asks for nothing changes nothing', () => {
    const examples = drawn(3);
    assert.deepEqual(augmented(examples, {}, 1, 1), examples);
    const zeros = { shiftPixels: 0, contrast: 0, erasing: { probability: 0, maximumArea: 0.5 }, mixup: null };
    assert.deepEqual(augmented(examples, zeros, 1, 1), examples);
  });

  test('keeps count, sizes and sums of targets', () => {
    const result = augmented(drawn(20), everything, 1, 1);
    assert.deepEqual([result.count, result.images.length, result.targets.length], [20, 20 * PIXELS, 200]);
    for (let row = 0; row < 20; row++) {
      const sum = result.targets.subarray(row * 10, row * 10 + 10).reduce((total, value) => total + value, 0);
      assert.ok(Math.abs(sum - 1) < 1e-6, `row ${row} sums to ${sum}`);
    }
  });

  for (const [name, value] of Object.entries(everything)) {
    test(`by ${name} depends on seed and epoch and on nothing else`, () => {
      const at = (seed: number, epoch: number) => augmented(drawn(30), { [name]: value }, seed, epoch);
      assert.deepEqual(at(1, 1), at(1, 1));
      assert.notDeepEqual(at(1, 1).images, at(1, 2).images);
      assert.notDeepEqual(at(1, 1).images, at(2, 1).images);
    });
  }

  test('takes none of its numbers from another step', () => {
    const bright = copies(20, () => 200);
    const erasing = { probability: 1, maximumArea: 0.3 };
    const alone = augmented(bright, { erasing }, 1, 1);
    const together = augmented(bright, { erasing, mirrorProbability: 0.5, contrast: 1e-9 }, 1, 1);
    assert.deepEqual(together.images, alone.images);
  });

  test('means the same on every machine and in every release', () => {
    const { images, targets } = augmented(drawn(50), everything, 42, 3);
    const digest = createHash('sha256').update(images).update(new Uint8Array(targets.buffer)).digest('hex');
    assert.equal(digest, 'a1a6127acb1ad5ec3a8917ceb0aaef0bfdccdc9195f9bdd1e4fb9c23b0cf8bd8');
  });

  const refused: Record<string, AugmentationSource> = {
    mirrorProbability: { mirrorProbability: 1.1 },
    shiftPixels: { shiftPixels: -1 },
    scale: { scale: 0.6 },
    rotationDegrees: { rotationDegrees: NaN },
    'erasing.maximumArea': { erasing: { probability: 1, maximumArea: 2 } },
    'mixup.alpha': { mixup: { alpha: 0 } },
  };
  for (const [name, settings] of Object.entries(refused)) {
    test(`refuses ${JSON.stringify(settings)} and names ${name}`, () => {
      const message = new RegExp(name.replace('.', '\\.'));
      assert.throws(() => augmented(drawn(1), settings, 1, 1), { name: 'RangeError', message });
    });
  }

  test('refuses a seed or an epoch that is no whole number of at least 0', () => {
    for (const [seed, epoch] of [
      [-1, 1],
      [1, 0.5],
    ] as const) {
      assert.throws(() => augmented(drawn(1), everything, seed, epoch), { name: 'RangeError', message: /at least 0/ });
    }
  });
});

describe('mirroring', () => {
  /** Each row backwards, by a way of its own. */
  const flipped = (image: Uint8Array) =>
    Uint8Array.from({ length: PIXELS }, (_, at) => image[at - (at % 28) + 27 - (at % 28)] ?? 0);

  test('at probability 1 turns every row of every image round and keeps the targets', () => {
    const examples = drawn(4);
    const result = augmented(examples, { mirrorProbability: 1 }, 0, 0);
    assert.deepEqual(imagesOf(result), imagesOf(examples).map(flipped));
    assert.deepEqual(result.targets, examples.targets);
  });

  test('twice gives the original', () => {
    const examples = drawn(4);
    const once = augmented(examples, { mirrorProbability: 1 }, 0, 0);
    assert.deepEqual(augmented(once, { mirrorProbability: 1 }, 0, 1), examples);
  });

  test('at probability 0.25 turns about a quarter of the images and leaves the others as they are', () => {
    const examples = drawn(1000);
    const before = imagesOf(examples);
    const turned = imagesOf(augmented(examples, { mirrorProbability: 0.25 }, 3, 5)).filter((image, index) => {
      const original = before[index] ?? image;
      if (Buffer.compare(image, original) === 0) return false;
      assert.deepEqual(image, flipped(original));
      return true;
    });
    // The standard deviation is 14; 70 is five of them.
    assert.ok(Math.abs(turned.length - 250) < 70, `${turned.length} of 1000`);
  });

  test('turns the images that it turned in the first release', () => {
    const { images } = augmented(drawn(12), { mirrorProbability: 0.5 }, 42, 0);
    const isTurned = Array.from({ length: 12 }, (_, index) =>
      images[index * PIXELS] === drawn(12).images[index * PIXELS] ? 0 : 1,
    );
    assert.equal(isTurned.join(), '1,1,1,1,1,0,0,0,1,0,1,1');
  });
});

describe('the warp', () => {
  test('of almost nothing gives back every pixel, the outermost too', () => {
    const examples = drawn(5);
    const vanishing = { shiftPixels: 1e-9, scale: 1e-9, aspect: 1e-9, rotationDegrees: 1e-9 };
    assert.deepEqual(augmented(examples, vanishing, 1, 1).images, examples.images);
  });

  test('shifts by fractions of pixels up to the limit, each axis by itself, and loses no light', () => {
    const original = blob(1, 2, 3);
    const { mass } = moments(original.images);
    const shifted = imagesOf(augmented(blob(400, 2, 3), { shiftPixels: 3 }, 1, 1)).map(moments);
    for (const axis of ['x', 'y'] as const) {
      const moved = shifted.map((each) => each[axis]);
      assert.ok(smallest(moved) >= -3.01 && smallest(moved) < -2.9, `${axis} from ${smallest(moved)}`);
      assert.ok(largest(moved) <= 3.01 && largest(moved) > 2.9, `${axis} to ${largest(moved)}`);
      // A uniform distribution over ±3 has the deviation √3; that of its mean over 400 is 0.087.
      assert.ok(Math.abs(moved.reduce((sum, value) => sum + value, 0) / 400) < 0.45);
      assert.ok(moved.some((value) => Math.abs(value - Math.round(value)) > 0.4));
    }
    assert.ok(shifted.some(({ x, y }) => Math.abs(x - y) > 3));
    for (const each of shifted) assert.ok(Math.abs(each.mass / mass - 1) < 0.01, `mass ${each.mass} of ${mass}`);
  });

  test('scales width and height alike, up to the limit', () => {
    const original = moments(blob(1, 2.5, 3.5).images);
    const scaled = imagesOf(augmented(blob(200, 2.5, 3.5), { scale: 0.2 }, 1, 1)).map(moments);
    const sizes = scaled.map(({ mass }) => Math.sqrt(mass / original.mass));
    assert.ok(smallest(sizes) > 0.79 && smallest(sizes) < 0.82, `from ${smallest(sizes)}`);
    assert.ok(largest(sizes) < 1.21 && largest(sizes) > 1.18, `to ${largest(sizes)}`);
    for (const { x, y, width, height } of scaled) {
      assert.ok(Math.abs(x) < 0.05 && Math.abs(y) < 0.05, `the middle moved to ${x}, ${y}`);
      assert.ok(Math.abs(width / height / (original.width / original.height) - 1) < 0.02, `${width} by ${height}`);
    }
  });

  test('changes the ratio of width to height up to the limit and keeps the area', () => {
    const original = moments(blob(1, 3, 3).images);
    const stretched = imagesOf(augmented(blob(200, 3, 3), { aspect: 0.3 }, 1, 1)).map(moments);
    const ratios = stretched.map(({ width, height }) => width / height);
    assert.ok(smallest(ratios) > 0.69 && smallest(ratios) < 0.73, `from ${smallest(ratios)}`);
    assert.ok(largest(ratios) < 1.31 && largest(ratios) > 1.27, `to ${largest(ratios)}`);
    for (const { mass } of stretched) assert.ok(Math.abs(mass / original.mass - 1) < 0.02);
  });

  test('turns about the middle, either way, up to the limit', () => {
    const turned = imagesOf(augmented(blob(200, 1.5, 4), { rotationDegrees: 30 }, 1, 1)).map(moments);
    const angles = turned.map(({ degrees }) => degrees);
    assert.ok(smallest(angles) > -30.5 && smallest(angles) < -28, `from ${smallest(angles)}`);
    assert.ok(largest(angles) < 30.5 && largest(angles) > 28, `to ${largest(angles)}`);
    for (const { x, y } of turned)
      assert.ok(Math.abs(x) < 0.05 && Math.abs(y) < 0.05, `the middle moved to ${x}, ${y}`);
  });

  test('brings background into view from outside, and never another image', () => {
    const shifted = augmented(
      copies(50, () => 255),
      { shiftPixels: 14, rotationDegrees: 180 },
      1,
      1,
    );
    for (const image of imagesOf(shifted)) {
      const corners = [0, 27, PIXELS - 28, PIXELS - 1].map((pixel) => image[pixel]);
      assert.ok(corners.includes(0), `corners ${corners.join()}`);
    }
  });
});

describe('reversal of tones', () => {
  /** Garment levels 40 to 200 from left to right in rows 10 to 17; the rest is background, some of it not quite black. */
  const before = copies(200, (row, column) =>
    row < 10 || row > 17 ? column % 10 : 40 + Math.round((160 * column) / 27),
  );

  test('turns the lightest part of a garment into its darkest, and leaves the background', () => {
    for (const image of imagesOf(augmented(before, { toneReversal: 1 }, 1, 1))) {
      image.forEach((level, index) => {
        const was = before.images[index] ?? NaN;
        assert.equal(level, was < 16 ? was : 240 - was);
      });
    }
  });

  test('leaves the share of images alone that its probability leaves', () => {
    const reversed = imagesOf(augmented(before, { toneReversal: 0.25 }, 1, 1)).filter((image) => image[280] === 200);
    assert.ok(Math.abs(reversed.length - 50) < 30, `${reversed.length} of 200`);
  });
});

describe('remnants', () => {
  const ONE_LEVEL = 200;
  const garment = (row: number, column: number) => (row > 6 && row < 21 && column > 6 && column < 21 ? ONE_LEVEL : 0);
  const changed = imagesOf(augmented(copies(300, garment), { remnantProbability: 1 }, 1, 1));

  test('make a garment smaller by up to 45 %, and put pieces only where there is background', () => {
    const sizes = changed.map((image) => {
      const kept = [...image.keys()].filter((pixel) => image[pixel] === ONE_LEVEL);
      return Math.sqrt(kept.length) / 14;
    });
    assert.ok(smallest(sizes) > 0.4 && smallest(sizes) < 0.6, `${smallest(sizes)}`);
    assert.ok(largest(sizes) < 1.35 && largest(sizes) > 0.9, `${largest(sizes)}`);
  });

  test('are pieces of grey beside nearly every garment, lighter than background', () => {
    const pieces = changed.map((image) => new Set(image.filter((level) => level >= 32 && level !== ONE_LEVEL)).size);
    assert.ok(pieces.filter((count) => count > 0).length > 280);
  });

  test('leave the share of images alone that their probability leaves', () => {
    const before = copies(400, garment);
    const alone = imagesOf(augmented(before, { remnantProbability: 0.25 }, 1, 1)).filter(
      (image) => Buffer.compare(image, before.images.subarray(0, PIXELS)) === 0,
    );
    assert.ok(Math.abs(alone.length - 300) < 45, `${alone.length} of 400`);
  });
});

describe('contrast', () => {
  test('multiplies the grey levels of an image by one factor and ends at 255', () => {
    const before = copies(200, (row, column) => row * 4 + column * 4);
    const factors = imagesOf(augmented(before, { contrast: 0.5 }, 1, 1)).map((image) => {
      const factor = (image[5 * 28 + 27] ?? NaN) / 128;
      image.forEach((level, index) => {
        const expected = Math.min(255, (before.images[index] ?? NaN) * factor);
        // The factor itself is known to half a grey level in 128.
        assert.ok(Math.abs(level - expected) <= 1.5, `${before.images[index]} became ${level}, factor ${factor}`);
      });
      return factor;
    });
    assert.ok(smallest(factors) >= 0.5 && smallest(factors) < 0.53);
    assert.ok(largest(factors) <= 1.5 && largest(factors) > 1.47);
  });
});

describe('erasing', () => {
  test('blackens one upright rectangle of at most the area, neither long nor outside', () => {
    const erased = imagesOf(
      augmented(
        copies(300, () => 200),
        { erasing: { probability: 1, maximumArea: 0.25 } },
        1,
        1,
      ),
    );
    const areas = erased.map((image) => {
      const black = [...image.keys()].filter((pixel) => image[pixel] === 0);
      assert.ok([...image].every((level) => level === 0 || level === 200));
      const [rows, columns] = [black.map((pixel) => Math.floor(pixel / 28)), black.map((pixel) => pixel % 28)];
      const height = largest(rows) - smallest(rows) + 1;
      const width = largest(columns) - smallest(columns) + 1;
      assert.equal(black.length, height * width, 'all of the rectangle and nothing else');
      // Sides are rounded to whole pixels.
      assert.ok(height - 0.5 <= (width + 0.5) / 0.3 && width - 0.5 <= (height + 0.5) / 0.3, `${height} by ${width}`);
      assert.ok((height - 0.5) * (width - 0.5) <= 0.25 * PIXELS, `${height} by ${width}`);
      return black.length;
    });
    assert.ok(smallest(areas) < 10 && largest(areas) > 0.23 * PIXELS, `${smallest(areas)} to ${largest(areas)}`);
    assert.ok(erased.some((image) => image[0] === 0) && erased.some((image) => image[PIXELS - 1] === 0));
  });

  test('leaves the share of images alone that its probability leaves', () => {
    const before = copies(1000, () => 200);
    const erased = imagesOf(augmented(before, { erasing: { probability: 0.25, maximumArea: 0.1 } }, 1, 1)).filter(
      (image) => image.includes(0),
    );
    assert.ok(Math.abs(erased.length - 250) < 70, `${erased.length} of 1000`);
  });
});

describe('mixup', () => {
  /** Ten examples of ten classes, so that a target says which two were mixed. */
  const ten = drawn(10);

  test('mixes each image with one other and rounds, its target alike', () => {
    const mixed = augmented(ten, { mixup: { alpha: 1 } }, 1, 1);
    const partners = imagesOf(mixed).map((image, index) => {
      const target = [...mixed.targets.subarray(index * 10, index * 10 + 10)];
      const weight = target[index] ?? NaN;
      const partner = target.findIndex((value, label) => label !== index && value > 0);
      assert.ok(weight > 0 && weight < 1 && partner >= 0);
      assert.equal(weight + (target[partner] ?? NaN), 1);
      image.forEach((level, pixel) => {
        const own = ten.images[index * PIXELS + pixel] ?? NaN;
        const other = ten.images[partner * PIXELS + pixel] ?? NaN;
        assert.equal(level, Math.floor(weight * own + (1 - weight) * other + 0.5));
      });
      return partner;
    });
    assert.deepEqual([...partners].sort(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 'each is the partner of one');
  });

  test('draws its weights from Beta(alpha, alpha)', () => {
    for (const alpha of [0.2, 1, 5]) {
      const count = 4000;
      // Labels in turn and a partner of another class in nine cases of ten.
      const { targets } = augmented(drawn(count), { mixup: { alpha } }, 1, 1);
      const weights = Array.from({ length: count }, (_, row) => [...targets.subarray(row * 10, row * 10 + 10)])
        .filter((target) => target.filter((value) => value > 0).length === 2)
        .map((target) => largest(target));
      // The larger weight m of the pair has the second moment about ½ that Beta(alpha, alpha) has: 1 / (4·(2·alpha + 1)).
      const variance = weights.reduce((sum, weight) => sum + (weight - 0.5) ** 2, 0) / weights.length;
      if (alpha >= 1) assert.ok(Math.abs(variance * 4 * (2 * alpha + 1) - 1) < 0.1, `alpha ${alpha}: ${variance}`);
      else assert.ok(weights.filter((weight) => weight > 0.99).length > count / 4, 'most images are hardly mixed');
    }
  });

  test('of a single image is the image', () => {
    assert.deepEqual(augmented(drawn(1), { mixup: { alpha: 1 } }, 1, 1), drawn(1));
  });

  test('keeps smoothed targets distributions', () => {
    const { targets } = augmented(withTargets(drawnExamples(50), 0.1), { mixup: { alpha: 1 } }, 1, 1);
    assert.ok(targets.every((value) => value >= Math.fround(0.01) - 1e-8));
    for (let row = 0; row < 50; row++) {
      const sum = targets.subarray(row * 10, row * 10 + 10).reduce((total, value) => total + value, 0);
      assert.ok(Math.abs(sum - 1) < 1e-6);
    }
  });
});
