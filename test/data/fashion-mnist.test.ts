import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { access, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { CLASS_COUNT } from '@atelier/domain';
import { type Examples, FASHION_MNIST, loadFashionMnist, select, stratifiedSplit } from '@atelier/fashion-mnist';

const DIGEST = 'sha256:14410854cf7a289477dcfc7df3f8ec24741e281cdcc425ede0d9a748ca630214';
const cacheDirectory = join(import.meta.dirname, '../../data/fashion-mnist');

test('Fashion-MNIST has 60,000 and 10,000 images, as many of each class, and the published digest (real data)', async () => {
  const { train, test: tested, digest } = await loadFashionMnist({ cacheDirectory });
  assert.equal(train.count, 60_000);
  assert.equal(tested.count, 10_000);
  assert.deepEqual(countByClass(train), new Array(CLASS_COUNT).fill(6_000));
  assert.deepEqual(countByClass(tested), new Array(CLASS_COUNT).fill(1_000));
  assert.equal(digest, DIGEST);
});

test('the digest is the SHA-256 of the four IDX files made anew from what was read (real data)', async () => {
  const { train, test: tested } = await loadFashionMnist({ cacheDirectory });
  const hash = createHash('sha256');
  for (const { images, labels, count } of [train, tested]) {
    hash
      .update(header(count, 28, 28))
      .update(images)
      .update(header(count))
      .update(labels);
  }
  assert.equal(`sha256:${hash.digest('hex')}`, DIGEST);
});

test('the first training image is an ankle boot: dark above, bright in the sole (real data)', async () => {
  const { train } = await loadFashionMnist({ cacheDirectory });
  assert.equal(train.labels[0], 9);
  const row = (index: number) =>
    train.images.subarray(index * 28, (index + 1) * 28).reduce((sum, pixel) => sum + pixel);
  assert.equal(row(0), 0);
  assert.ok(row(23) > 28 * 128, `row 23 sums to ${row(23)}`);
});

test('a tenth held out is 600 of each class (real data)', async () => {
  const { train } = await loadFashionMnist({ cacheDirectory });
  const { validation } = stratifiedSplit(train.labels, 0.1, 42);
  assert.deepEqual(countByClass(select(train, validation)), new Array(CLASS_COUNT).fill(600));
});

const hasAptGet = await access('/usr/bin/apt-get').then(
  () => true,
  () => false,
);
const isContinuousIntegration = process.env['CI'] !== undefined;

test(
  'apt-get brings the Debian package without root and without installing anything (real data)',
  { skip: !hasAptGet && !isContinuousIntegration && 'no apt-get on this machine' },
  async (context) => {
    const folder = await mkdtemp(join(tmpdir(), 'atelier-test-'));
    context.after(() => rm(folder, { recursive: true, force: true }));
    const options = { cacheDirectory: join(folder, 'cache'), systemDirectory: join(folder, 'system'), sources: [] };
    const fetched = await loadFashionMnist(options);
    assert.equal(fetched.source, 'Debian package dataset-fashion-mnist');
    assert.equal(fetched.digest, FASHION_MNIST.digest);
    assert.equal((await loadFashionMnist(options)).source, options.cacheDirectory);
  },
);

function countByClass({ labels }: Examples): number[] {
  return Array.from({ length: CLASS_COUNT }, (_, label) => labels.filter((value) => value === label).length);
}

function header(...dimensions: number[]): Uint8Array {
  const words = new DataView(new ArrayBuffer(4 * (1 + dimensions.length)));
  [0x0800 + dimensions.length, ...dimensions].forEach((word, index) => {
    words.setUint32(4 * index, word);
  });
  return new Uint8Array(words.buffer);
}
