import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { PIXELS_PER_IMAGE } from '@atelier/domain';
import { batches, type Examples, loadFashionMnist, slice } from '@atelier/fashion-mnist';
import { createLog } from '@atelier/http';
import { readConfig, type RunningInference, startInference } from '@atelier/inference';
import { resolveVersion, type PublishedVersion } from '@atelier/model-repository';
import sharp from 'sharp';
import { ROOT } from '../support/programs.ts';

const MODELS = join(ROOT, 'models');
const PNG_FILES = 1000;

describe('accuracy of the version in git through HTTP (real data)', () => {
  let service: RunningInference;
  let version: PublishedVersion;
  let images: Examples;
  before(async () => {
    version = await resolveVersion(MODELS, 'fashion-mlp', 'latest');
    ({ test: images } = await loadFashionMnist({ cacheDirectory: join(ROOT, 'data', 'fashion-mnist') }));
    service = await startInference(
      readConfig({ MODELS_DIR: MODELS, INFERENCE_PORT: '0' }),
      createLog('test', 'silent'),
    );
    await service.settled;
  });
  after(() => service.close());

  test('the version in git reaches 88.5 % on the test images, by its manifest', () => {
    assert.ok(version.manifest.metrics.test.accuracy >= 0.885);
    assert.equal(version.manifest.metrics.test.count, 10_000);
    assert.equal(version.manifest.data.limit, null);
    assert.ok(version.manifest.parity.maximumDifference <= 1e-5);
  });

  test('all 10,000 test images as pixels give exactly the accuracy of the manifest', async () => {
    let correct = 0;
    for (const batch of batches(images, 250)) {
      const pixels = Array.from({ length: batch.count }, (_, row) => [...pixelsOf(batch, row)]);
      const predicted = await predict(JSON.stringify({ pixels }), { 'content-type': 'application/json' });
      correct += predicted.filter((classIndex, row) => classIndex === batch.labels[row]).length;
    }
    assert.equal(correct / images.count, version.manifest.metrics.test.accuracy);
  });

  test('1,000 of them as PNG files are classified as they are as pixels', async () => {
    const chosen = slice(images, 0, PNG_FILES);
    const asFiles: number[] = [];
    for (const batch of batches(chosen, 25)) {
      const form = new FormData();
      for (let row = 0; row < batch.count; row++) {
        const raw = { width: 28, height: 28, channels: 1 as const };
        const png = await sharp(pixelsOf(batch, row), { raw }).png().toBuffer();
        form.append('image', new Blob([new Uint8Array(png)], { type: 'image/png' }), `${row}.png`);
      }
      asFiles.push(...(await predict(form)));
    }
    const asPixels: number[] = [];
    for (const batch of batches(chosen, 250)) {
      const pixels = Array.from({ length: batch.count }, (_, row) => [...pixelsOf(batch, row)]);
      asPixels.push(...(await predict(JSON.stringify({ pixels }), { 'content-type': 'application/json' })));
    }
    assert.equal(asFiles.length, PNG_FILES);
    assert.deepEqual(asFiles, asPixels);
    const accuracy = asFiles.filter((classIndex, row) => classIndex === chosen.labels[row]).length / PNG_FILES;
    assert.ok(
      Math.abs(accuracy - version.manifest.metrics.test.accuracy) < 0.04,
      `accuracy ${accuracy} on the first thousand`,
    );
  });

  async function predict(body: FormData | string, headers: Record<string, string> = {}): Promise<number[]> {
    const response = await fetch(`${service.url}/predict?top=1`, { method: 'POST', body, headers });
    assert.equal(response.status, 200, await response.clone().text());
    const { predictions } = (await response.json()) as { predictions: { classIndex: number }[] };
    return predictions.map(({ classIndex }) => classIndex);
  }
});

function pixelsOf({ images }: Examples, row: number): Uint8Array {
  return images.subarray(row * PIXELS_PER_IMAGE, (row + 1) * PIXELS_PER_IMAGE);
}
