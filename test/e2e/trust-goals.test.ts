import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { loadFashionMnist } from '@atelier/fashion-mnist';
import { resolveVersion } from '@atelier/model-repository';
import { recalibrate } from '@atelier/trainer';
import { withPredictor } from '../../scripts/src/published-predictor.ts';
import { readSettings } from '../../scripts/src/settings.ts';
import { measureTrust } from '../../scripts/src/trust/measure-trust.ts';
import { OUTLIER_KINDS } from '../../scripts/src/trust/outlier-kinds.ts';
import { TRUST_GOALS, type TrustResults } from '../../scripts/src/trust/trust-results.ts';
import { ROOT } from '../support/programs.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** Not those of docs/results.md. */
const SEED = 77;
const COUNT = 400;

/** 95 % of the validation images pass; of 10,000 others it may be a point less by chance and a little overfitting. */
const LEAST_PASSING = 0.94;

describe('the committed version, measured on the real test images and on drawn outliers', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let results: Omit<TrustResults, 'writtenAt'>;
  before(async () => {
    folder = await temporaryFolder();
    const dataset = await loadFashionMnist({
      directory: process.env['FASHION_MNIST_DIR'] ?? undefined,
      cacheDirectory: join(ROOT, 'data', 'fashion-mnist'),
    });
    const settings = readSettings({});
    const committed = await resolveVersion(settings.modelsDirectory, 'fashion-mlp', 'latest');
    const isCalibrated = committed.manifest.trust !== undefined;
    if (!isCalibrated) await recalibrate(committed, dataset, folder.path);
    const modelsDirectory = isCalibrated ? settings.modelsDirectory : folder.path;
    results = await withPredictor({ ...settings, modelsDirectory }, 'latest', (predictor) =>
      measureTrust(predictor, dataset.test, { count: COUNT, seed: SEED }),
    );
  });
  after(() => folder.remove());

  test('has a calibration error of 1.5 % at most', () => {
    const { calibrated } = results.calibrationError;
    assert.ok(calibrated <= TRUST_GOALS.calibrationError, `${calibrated}`);
  });

  test('lets garments pass, and is right more often where it does not abstain', () => {
    const { pass, accuracy, accuracyOfOthers } = results.garments;
    assert.ok(pass >= LEAST_PASSING && pass < 1, `${pass}`);
    assert.ok(accuracyOfOthers > accuracy + 0.01, `${accuracyOfOthers}, ${accuracy} of all`);
  });

  for (const { name, title } of OUTLIER_KINDS) {
    test(`tells garments from ${title} with an area under the ROC curve of 0.95 at least`, () => {
      const area = results.outliers.find((kind) => kind.name === name)?.area ?? 0;
      assert.ok(area >= TRUST_GOALS.area, `${area}`);
    });
  }
});
