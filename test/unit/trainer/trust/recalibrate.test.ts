import assert from 'node:assert/strict';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Dataset } from '@atelier/fashion-mnist';
import {
  checkGolden,
  decodeGoldenImages,
  type PublishedVersion,
  readModel,
  resolveVersion,
} from '@atelier/model-repository';
import { OnnxModel, recalibrate } from '@atelier/trainer';
import { drawnExamples } from '../../../support/drawn-examples.ts';
import { publishTiny } from '../../../support/published-version.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const dataset: Dataset = {
  train: drawnExamples(600, 1),
  test: drawnExamples(100, 2),
  digest: `sha256:${'0'.repeat(64)}`, // that of the tiny version
  source: 'drawn by the test',
};

describe('recalibrating a version', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let old: PublishedVersion;
  let recalibrated: PublishedVersion;
  before(async () => {
    folder = await temporaryFolder();
    old = await publishTiny(folder.path);
    await mkdir(join(old.directory, 'tfjs'));
    await writeFile(join(old.directory, 'tfjs', 'model.json'), '{}');
    recalibrated = await recalibrate(old, dataset, folder.path);
  });
  after(() => folder.remove());

  test('publishes the next version, with every file of the one before', async () => {
    assert.equal(recalibrated.version, 2);
    assert.deepEqual((await readdir(recalibrated.directory)).sort(), ['manifest.json', 'model.onnx', 'tfjs']);
    const read = await resolveVersion(folder.path, 'fashion-mlp', 2);
    assert.deepEqual(read.manifest.recalibrated, { version: 1, digest: old.manifest.digest });
    assert.deepEqual(read.manifest.training, old.manifest.training);
    assert.equal((await resolveVersion(folder.path, 'fashion-mlp', 1)).manifest.trust, undefined);
  });

  test('gives it the same logits, and the fields that say when not to believe it', async () => {
    const [first, second] = await Promise.all(
      [old, recalibrated].map(async (each) => OnnxModel.open(await readModel(each))),
    );
    const [before, now] = [await first?.predict(dataset.test.images), await second?.predict(dataset.test.images)];
    assert.deepEqual(now?.logits, before?.logits);
    assert.equal(before?.outlierScores, undefined);
    assert.equal(now?.outlierScores?.length, 100);
    const { trust, golden, parity } = recalibrated.manifest;
    assert.equal(trust?.reference.count, 120, 'the fifth that its recipe validates on');
    assert.ok(trust.outliers.passRate >= 0.95);
    const answers = await second?.predict(decodeGoldenImages(golden));
    assert.ok(answers);
    checkGolden(answers, golden);
    assert.equal(parity.images, 100);
    await first?.release();
    await second?.release();
  });

  test('can be done again, to the same model', async () => {
    const again = await recalibrate(recalibrated, dataset, folder.path);
    assert.equal(again.version, 3);
    assert.equal(again.manifest.digest, recalibrated.manifest.digest);
  });

  test('is refused with other data than it was trained on, and writes nothing', async () => {
    const other = { ...dataset, digest: `sha256:${'1'.repeat(64)}` };
    await assert.rejects(recalibrate(old, other, join(folder.path, 'elsewhere')), {
      code: 'dataset-mismatch',
      message: /fashion-mlp\/1 was trained on data with digest sha256:0+; that in drawn by the test has sha256:1+/,
    });
    assert.ok(!(await readdir(folder.path)).includes('elsewhere'));
  });
});
