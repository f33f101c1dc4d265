import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { CLASS_COUNT, PIXELS_PER_IMAGE } from '@atelier/domain';
import {
  BUCKETS,
  type Engine,
  type Outputs,
  type Predictor,
  readConfig,
  startConfiguredEngine,
} from '@atelier/inference';
import { publishVersion } from '@atelier/model-repository';
import { deepClassifier } from '../support/deep-classifier.ts';
import { randomImage, versionContent } from '../support/published-version.ts';
import { recordedLog } from '../support/recorded-log.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** The bits of a row, which two numbers can differ in and yet be equal, as 0 and -0 are. */
const bitsOf = (values: Float32Array, row: number) =>
  Buffer.from(values.slice(row * CLASS_COUNT, (row + 1) * CLASS_COUNT).buffer).toString('hex');

const packed = (images: readonly Uint8Array[]) => new Uint8Array(Buffer.concat(images));

describe('on the CPU, the answer to an image', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let engine: Engine;
  let predictor: Predictor;
  const image = randomImage(1);
  let alone: Outputs;
  before(async () => {
    folder = await temporaryFolder();
    const config = readConfig({ DEVICE: 'cpu', INFERENCE_WORKERS: '2', INFERENCE_MAX_QUEUE: '100000' });
    engine = await startConfiguredEngine(config, recordedLog().log);
    const { onnx, probabilities } = deepClassifier([784, 512, 256, CLASS_COUNT]);
    const { manifest } = versionContent();
    const golden = manifest.golden.images.map((text) => probabilities(Buffer.from(text, 'base64')));
    manifest.golden.probabilities = golden;
    predictor = await engine.load(await publishVersion(folder.path, 'fashion-mlp', { model: onnx, manifest }));
    alone = await predictor.predict(image);
  });
  after(async () => {
    await engine.close();
    await folder.remove();
  });

  function assertSame({ logits, probabilities }: Outputs, row: number, where: string): void {
    assert.equal(bitsOf(logits, row), bitsOf(alone.logits, 0), `logits ${where}`);
    assert.equal(bitsOf(probabilities, row), bitsOf(alone.probabilities, 0), `probabilities ${where}`);
  }

  test('has the same bits at every place of a batch of every size, whatever the others are', async () => {
    for (const size of BUCKETS) {
      const outputs = await Promise.all(
        Array.from({ length: size }, (_, place) => {
          const neighbours = Array.from({ length: size }, (_, row) => randomImage(1000 * size + 100 * place + row));
          return predictor.predict(packed(neighbours.with(place, image)));
        }),
      );
      for (const [place, output] of outputs.entries()) assertSame(output, place, `at ${place} of ${size}`);
    }
  });

  test('has the same bits beside black and white, and with padding', async () => {
    for (const value of [0, 255]) {
      for (const size of [2, 5, 7, 10, 20, 33, 63]) {
        const batch = new Uint8Array(size * PIXELS_PER_IMAGE).fill(value);
        batch.set(image, (size - 1) * PIXELS_PER_IMAGE);
        assertSame(await predictor.predict(batch), size - 1, `last of ${size}`);
      }
    }
  });

  test('has the same bits among two hundred requests that share what batches they happen to', async () => {
    const all = await Promise.all(
      Array.from({ length: 400 }, (_, index) =>
        index % 2 === 0
          ? predictor.predict(image)
          : predictor.predict(packed([randomImage(index), randomImage(-index)])),
      ),
    );
    for (const [index, output] of all.entries()) if (index % 2 === 0) assertSame(output, 0, `of request ${index}`);
  });

  test('differs in its bits for another image, so that this test would see it', async () => {
    const changed = image.with(400, (image[400] ?? 0) ^ 1);
    const other = await predictor.predict(changed);
    assert.notEqual(bitsOf(other.logits, 0), bitsOf(alone.logits, 0));
  });
});
