import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type PredictResponse, readConfig, startInference } from '@atelier/inference';
import { changeLabels } from '@atelier/model-repository';
import { type Answer, constantRequests } from '../support/constant-requests.ts';
import { publishTiny, randomImage, tinyClassifier } from '../support/published-version.ts';
import { recordedLog } from '../support/recorded-log.ts';
import { residentBytes } from '../support/resident-memory.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { until } from '../support/until.ts';

/** ATELIER_SWAPS=200 looks longer, and prints how the memory went. */
const SWAPS = Number(process.env['ATELIER_SWAPS'] ?? 16);
const CONNECTIONS = 4;
const MEBIBYTE = 1024 * 1024;

test(`${SWAPS} swaps under load fail no request, and every answer is whole of a version that was loaded`, async (t) => {
  const folder = await temporaryFolder();
  t.after(() => folder.remove());
  const image = randomImage(1);
  const expected = new Map<number, number[]>();
  for (const version of [1, 2, 3]) {
    await publishTiny(folder.path, { seed: version });
    expected.set(version, tinyClassifier({ seed: version }).probabilities(image));
  }
  await changeLabels(folder.path, 'fashion-mlp', { stable: 1 });
  const { log, lines } = recordedLog();
  log.level = 'warn';
  const settings = { MODELS_DIR: folder.path, INFERENCE_PORT: '0', INFERENCE_KEEP_VERSIONS: '1', DEVICE: 'cpu' };
  const service = await startInference(readConfig(settings), log);
  t.after(() => service.close());
  await service.settled;

  const seen = new Map<number, number>();
  const look = ({ status, body }: Answer) => {
    assert.equal(status, 200, body);
    const { model, predictions } = JSON.parse(body) as PredictResponse;
    const [prediction] = predictions;
    const truth = expected.get(model.version)?.[prediction?.classIndex ?? -1] ?? NaN;
    assert.ok(Math.abs((prediction?.probability ?? 0) - truth) < 1e-4, `${model.version} answers as another one`);
    seen.set(model.version, (seen.get(model.version) ?? 0) + 1);
  };
  const load = constantRequests(`${service.url}/predict`, JSON.stringify({ pixels: [[...image]] }), CONNECTIONS, look);
  const memory: number[] = [];
  // The third version is the newest and held; of the first two the one without the label is released, so each swap loads.
  for (let swap = 1; swap <= SWAPS; swap++) {
    const stable = 1 + (swap % 2);
    await changeLabels(folder.path, 'fashion-mlp', { stable });
    await until(`version ${stable}`, () => service.served()?.version === stable);
    const before = load.answered;
    await until('answers of it', () => load.answered > before + CONNECTIONS || load.failures.length > 0);
    if (swap % Math.ceil(SWAPS / 10) === 0) memory.push(residentBytes());
  }
  await load.stop();
  assert.deepEqual(load.failures, []);
  assert.deepEqual(lines, []);
  assert.deepEqual([...seen.keys()].sort(), [1, 2]);
  const megabytes = memory.map((bytes) => Math.round(bytes / MEBIBYTE));
  t.diagnostic(`${load.answered} requests; resident MiB over the swaps: ${megabytes.join(' ')}`);
});
