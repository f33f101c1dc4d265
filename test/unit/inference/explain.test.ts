import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CLASS_COUNT, PIXELS_PER_IMAGE } from '@atelier/domain';
import {
  type Explanation,
  type ExplainMethod,
  gradientModel,
  METHODS,
  occludedCopies,
  occlusionMap,
  overlayOf,
  PATCH,
  type Predictor,
  readConfig,
  startConfiguredEngine,
} from '@atelier/inference';
import { type PublishedVersion, resolveVersion } from '@atelier/model-repository';
import { decodeModel, encodeModel, int, node, type OnnxGraph } from '@atelier/onnx';
import sharp from 'sharp';
import { garmentImage } from '../../support/pictures.ts';
import { type ClassifierOptions, randomImage, tinyClassifier, publishTiny } from '../../support/published-version.ts';
import { recordedLog } from '../../support/recorded-log.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const MODELS = fileURLToPath(new URL('../../../models', import.meta.url));

/** Of a difference of two float32 logits of about ten units, each a sum of 1,024 terms. */
const TOLERANCE = 2e-5;

/** A version in a real engine. */
async function loaded(t: TestContext, version: PublishedVersion): Promise<Predictor> {
  const engine = await startConfiguredEngine(readConfig({ DEVICE: 'cpu', INFERENCE_WORKERS: '1' }), recordedLog().log);
  t.after(() => engine.close());
  return engine.load(version);
}

async function classifier(t: TestContext, options: ClassifierOptions): Promise<Predictor> {
  const folder = await temporaryFolder();
  t.after(() => folder.remove());
  return loaded(t, await publishTiny(folder.path, options));
}

/** The newest version in git. */
const published = async (t: TestContext) => loaded(t, await resolveVersion(MODELS, 'fashion-mlp', 'latest'));

async function explained(predictor: Predictor, image: Uint8Array, method: ExplainMethod): Promise<Explanation> {
  const outputs = await predictor.predict(image);
  const { outputs: same, explanations } = await predictor.explain(image, outputs, method);
  const [explanation] = explanations;
  assert.equal(same, outputs);
  assert.ok(explanation !== undefined && explanations.length === 1);
  assert.equal(explanation.method, method);
  assert.equal(explanation.classIndex, outputs.probabilities.indexOf(Math.max(...outputs.probabilities)));
  return explanation;
}

describe('the gradient', () => {
  test('of a classifier that multiplies pixels by weights is its weights, to the bit', async (t) => {
    const predictor = await classifier(t, { seed: 3 });
    const { weights } = tinyClassifier({ seed: 3 });
    for (const image of [randomImage(1), garmentImage(), new Uint8Array(PIXELS_PER_IMAGE)]) {
      const { classIndex, gradient, map } = await explained(predictor, image, 'gradient');
      const expected = weights.filter((_, place) => place % CLASS_COUNT === classIndex);
      assert.deepEqual(gradient, expected);
      assert.deepEqual(
        map,
        expected.map((weight, place) => weight * (image[place] ?? 0)),
        'the map is the gradient times the pixel',
      );
    }
  });

  test('of the published version agrees with central differences of its logits, one grey level up and down', async (t) => {
    const predictor = await published(t);
    const image = garmentImage().map((pixel) => Math.min(254, Math.max(1, pixel)));
    const { classIndex, gradient } = await explained(predictor, image, 'gradient');
    /** The logit of that class when each pixel in turn is brighter by `step`. */
    const logits = async (step: number) => {
      const images = new Uint8Array(PIXELS_PER_IMAGE ** 2).map((_, place) => image[place % PIXELS_PER_IMAGE] ?? 0);
      for (let pixel = 0; pixel < PIXELS_PER_IMAGE; pixel++) images[pixel * (PIXELS_PER_IMAGE + 1)]! += step;
      const all = (await predictor.predict(images)).logits;
      return all.filter((_, place) => place % CLASS_COUNT === classIndex);
    };
    const [here, above, below] = [await logits(0), await logits(1), await logits(-1)];
    let smooth = 0;
    let largest = 0;
    for (let pixel = 0; pixel < PIXELS_PER_IMAGE; pixel++) {
      const up = (above[pixel] ?? NaN) - (here[pixel] ?? NaN);
      const down = (here[pixel] ?? NaN) - (below[pixel] ?? NaN);
      // Where they differ, the step moves a unit over the corner of its ReLU, and there is no one slope to compare with.
      if (Math.abs(up - down) > TOLERANCE) continue;
      smooth++;
      largest = Math.max(largest, Math.abs(up));
      assert.ok(Math.abs((up + down) / 2 - (gradient?.[pixel] ?? NaN)) < TOLERANCE, `pixel ${pixel}`);
    }
    assert.ok(smooth > PIXELS_PER_IMAGE / 2, `${smooth} of the pixels have a slope`);
    assert.ok(largest > 50 * TOLERANCE, `slopes of up to ${largest} are far from 0`);
  });

  test('of each image of a request is its own', async (t) => {
    const predictor = await published(t);
    const images = [randomImage(1), garmentImage(), randomImage(2)];
    for (const method of ['gradient', 'occlusion'] as const) {
      const all = Buffer.concat(images);
      const { explanations } = await predictor.explain(all, await predictor.predict(all), method);
      const alone = await Promise.all(images.map((image) => explained(predictor, image, method)));
      for (const [row, { classIndex, map }] of explanations.entries()) {
        assert.equal(classIndex, alone[row]?.classIndex);
        // Batches of other sizes add in another order.
        for (const [place, value] of map.entries()) assert.ok(Math.abs(value - (alone[row]?.map[place] ?? NaN)) < 1e-5);
      }
    }
  });

  test('counts every way from the image, and nothing behind the logits', () => {
    const { graph, ...model } = decodeModel(tinyClassifier({ seed: 4 }).onnx, 'tiny');
    const [cast, flatten, product, softmax] = graph.nodes;
    assert.ok(cast && flatten && product && softmax);
    const again = { to: int(1) };
    const twice: OnnxGraph = {
      ...graph,
      nodes: [
        ...[cast, flatten, node('Cast', ['image'], 'pixels again', again), node('Flatten', ['pixels again'], 'again')],
        ...[node('Add', ['row', 'again'], 'both'), { ...product, inputs: ['both', 'weights'] }],
        node('Hardmax', ['logits'], 'probabilities'),
      ],
    };
    const { nodes } = decodeModel(gradientModel(encodeModel({ ...model, graph: twice }), 'twice'), 'gradients').graph;
    assert.equal(nodes.filter(({ opType }) => opType === 'Expand').length, 2);
    assert.ok(!nodes.some(({ opType }) => opType === 'Hardmax'));
  });

  test('is refused by name where a node on the way has none, or takes bytes in place of floats', async (t) => {
    const stepped = await classifier(t, { beyondWebgpu: true });
    for (const attempt of [1, 2]) {
      const explaining = explained(stepped, garmentImage(), 'gradient');
      await assert.rejects(explaining, { code: 'not-differentiable', message: /Hardmax/ }, `attempt ${attempt}`);
    }
    assert.equal((await explained(stepped, garmentImage(), 'occlusion')).map.length, PIXELS_PER_IMAGE);
    const { graph, ...model } = decodeModel(tinyClassifier().onnx, 'tiny');
    const [, , ...rest] = graph.nodes;
    const bytes = encodeModel({
      ...model,
      graph: {
        ...graph,
        nodes: [
          node('Flatten', ['image'], 'flat', { axis: int(1) }),
          node('Cast', ['flat'], 'row', { to: int(1) }),
          ...rest,
        ],
      },
    });
    assert.throws(() => gradientModel(bytes, 'bytes'), {
      code: 'not-differentiable',
      message: /Flatten "flat" takes it/,
    });
  });
});

describe('occlusion', () => {
  /** Looks at the six by six pixels from row 10 and column 4 on, in favour of class 3, and at nothing else. */
  const isLookedAt = (place: number) => {
    const [row, column] = [Math.floor(place / 28), place % 28];
    return row >= 10 && row < 16 && column >= 4 && column < 10;
  };
  const weights = new Float32Array(PIXELS_PER_IMAGE * CLASS_COUNT);
  for (let place = 0; place < PIXELS_PER_IMAGE; place++) if (isLookedAt(place)) weights[place * CLASS_COUNT + 3] = 4e-4;

  test('finds the region that decides, and nothing where no patch touches it', async (t) => {
    const predictor = await classifier(t, { weights });
    const image = new Uint8Array(PIXELS_PER_IMAGE).fill(200);
    const { classIndex, map } = await explained(predictor, image, 'occlusion');
    assert.equal(classIndex, 3);
    const whole = (await predictor.predict(image)).probabilities[3] ?? NaN;
    const place = map.indexOf(Math.max(...map));
    assert.ok(isLookedAt(place), `the largest is at ${place}`);
    for (const [at, value] of map.entries()) {
      const [row, column] = [Math.floor(at / 28), at % 28];
      const isNear = row > 10 - PATCH && row < 16 + PATCH && column > 4 - PATCH && column < 10 + PATCH;
      if (isLookedAt(at)) assert.ok(value > 0 && value < whole);
      else if (!isNear) assert.ok(Math.abs(value) < 1e-6, `${at}: ${value}`); // batches of other sizes add in another order
    }
  });

  test('compares with copies of which one patch is background, each pixel under one at least', () => {
    const image = new Uint8Array(PIXELS_PER_IMAGE).fill(9);
    const { copies, corners } = occludedCopies(image);
    assert.equal(corners.length, 169);
    assert.equal(copies.length, 169 * PIXELS_PER_IMAGE);
    const hidden = new Set<number>();
    for (const [row, corner] of corners.entries()) {
      const copy = copies.subarray(row * PIXELS_PER_IMAGE, (row + 1) * PIXELS_PER_IMAGE);
      const places = [...copy.keys()].filter((place) => copy[place] === 0);
      assert.equal(places.length, PATCH ** 2);
      assert.equal(places[0], corner);
      for (const place of places) hidden.add(place);
    }
    assert.equal(hidden.size, PIXELS_PER_IMAGE);
    const ones = occlusionMap(
      corners,
      corners.map(() => 1),
    );
    assert.deepEqual(ones, new Float32Array(PIXELS_PER_IMAGE).fill(1), 'the mean of equal drops is that drop');
  });

  test('computes nothing for patches that are background already', async () => {
    const image = new Uint8Array(PIXELS_PER_IMAGE);
    assert.equal(occludedCopies(image).corners.length, 0);
    image[5 * 28 + 5] = 1;
    assert.equal(occludedCopies(image).corners.length, 4);
    const outputs = { logits: new Float32Array(CLASS_COUNT), probabilities: new Float32Array(CLASS_COUNT).fill(0.1) };
    const none = () => assert.fail('nothing is to be computed');
    const [blank] = await METHODS.occlusion(new Uint8Array(PIXELS_PER_IMAGE), outputs, {
      gradients: none,
      probabilities: none,
    });
    assert.deepEqual(blank?.map, new Float32Array(PIXELS_PER_IMAGE));
  });
});

describe('the overlay', () => {
  const bytesOf = (uri: string) => Buffer.from(uri.slice(uri.indexOf(',') + 1), 'base64');

  test('is a PNG of 112×112: four by four for a pixel, blue for, orange against, and the image as it is elsewhere', async () => {
    const image = new Uint8Array(PIXELS_PER_IMAGE);
    image[1] = 255;
    const map = new Float32Array(PIXELS_PER_IMAGE);
    [map[28], map[29], map[30]] = [0.5, -0.5, 0.25];
    const uri = overlayOf(image, map);
    assert.match(uri, /^data:image\/png;base64,/);
    const { data, info } = await sharp(bytesOf(uri)).raw().toBuffer({ resolveWithObject: true });
    assert.deepEqual([info.format, info.width, info.height, info.channels], ['raw', 112, 112, 3]);
    const at = (x: number, y: number) => [...data.subarray((y * 112 + x) * 3, (y * 112 + x) * 3 + 3)];
    for (const [x, y] of [
      [0, 4],
      [3, 7],
    ] as const) {
      const [red = 0, , blue = 0] = at(x, y);
      assert.ok(blue > red + 100, 'for');
    }
    const [red = 0, , blue = 0] = at(4, 4);
    assert.ok(red > blue + 100, 'against');
    const [pale = 0] = at(8, 4);
    assert.ok(pale > (at(0, 4)[0] ?? 0), 'half as strong is paler');
    assert.ok((at(4, 0)[0] ?? 255) < 160 && (at(0, 0)[0] ?? 0) > 240, 'garment darker than background');
  });

  test('of a map of zeros is the image alone', async () => {
    const { data } = await sharp(bytesOf(overlayOf(garmentImage(), new Float32Array(PIXELS_PER_IMAGE))))
      .raw()
      .toBuffer({ resolveWithObject: true });
    for (let place = 0; place < data.length; place += 3) assert.equal(data[place], data[place + 2]);
  });
});
