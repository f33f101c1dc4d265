import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DomainError } from '@atelier/domain';
import { RetryLater } from '@atelier/http';
import {
  type ComputedBatch,
  type ImageFacts,
  InferenceMetrics,
  type Outputs,
  predictPictures,
  type Predictor,
} from '@atelier/inference';
import { samplesOf } from '../../support/metric-samples.ts';

/** A predictor of `fashion-mlp/<version>` whose answers are `answer`'s. */
function predictorOf(version: number, answer: () => Promise<Outputs>): Predictor {
  const published = { name: 'fashion-mlp', version, directory: '', manifest: { digest: 'sha256:00' } };
  return {
    version: published as unknown as Predictor['version'],
    device: { requested: 'auto', actual: 'cpu', reason: 'no driver' },
    ready: true,
    predict: answer,
    explain: (_, outputs) => Promise.resolve({ outputs, explanations: [] }),
    close: () => Promise.resolve(),
  };
}

/** Rows whose most probable classes are `classes`, with 0.91. */
function outputsOf(...classes: number[]): Outputs {
  const probabilities = new Float32Array(classes.length * 10).fill(0.01);
  classes.forEach((index, row) => (probabilities[row * 10 + index] = 0.91));
  return { logits: probabilities, probabilities };
}

const PHOTO: ImageFacts = {
  ...{ width: 100, height: 100, format: 'PNG', inverted: true, mirrored: false, crop: null, background: 'plain' },
  warnings: [],
};

const BATCH: ComputedBatch = {
  version: predictorOf(3, () => Promise.resolve(outputsOf())).version,
  reason: 'full',
  rows: 3,
  bucket: 4,
  queueMs: [2, 4],
  computeMs: 10,
};
const image = new Uint8Array(784);
const OF_3 = 'model="fashion-mlp",version="3"';

describe('the metrics of the inference service', () => {
  test('agree with the requests that a predictor answered and failed', async () => {
    const metrics = new InferenceMetrics();
    const leaving = new AbortController();
    const answers: (() => Promise<Outputs>)[] = [
      () => Promise.resolve(outputsOf(9, 9)),
      () => Promise.resolve(outputsOf(1)),
      () => Promise.reject(new RetryLater('overloaded', 'Too many wait.')),
      () => Promise.reject(new DomainError('engine-fault', 'No number.')),
      () => Promise.reject(new RangeError('A fault of ours.')),
      () => Promise.reject(leaving.signal.reason as Error),
    ];
    const predictor = metrics.observed(predictorOf(3, () => answers.shift()?.() ?? Promise.reject(new Error('none'))));
    leaving.abort();
    await predictor.predict(image);
    await predictor.predict(image);
    for (let index = 0; index < 4; index++) {
      await assert.rejects(predictor.predict(image, index === 3 ? { signal: leaving.signal } : {}));
    }
    const samples = await samplesOf(metrics.registry);
    assert.equal(samples[`nv_inference_request_success{${OF_3}}`], 2);
    assert.equal(samples[`nv_inference_count{${OF_3}}`], 3);
    const failures = ['REJECTED', 'CANCELED', 'BACKEND', 'OTHER'].map(
      (reason) => samples[`nv_inference_request_failure{${OF_3},reason="${reason}"}`],
    );
    assert.deepEqual(failures, [1, 1, 1, 1]);
    assert.equal(samples['requests_refused_total{code="overloaded"}'], 1);
    assert.equal(samples['requests_refused_total{code="engine-fault"}'], undefined);
    assert.equal(samples[`inference_total_seconds_count{${OF_3}}`], 2);
    assert.equal(samples[`prediction_class_total{${OF_3},class="Ankle boot"}`], 2);
    assert.equal(samples[`prediction_class_total{${OF_3},class="Trouser"}`], 1);
    assert.equal(samples[`prediction_confidence_bucket{le="0.9",${OF_3}}`], 0);
    assert.equal(samples[`prediction_confidence_bucket{le="0.95",${OF_3}}`], 3);
    metrics.close();
  });

  test('count each picture once, with the class that was answered, though its mirror image is computed as well', async () => {
    const metrics = new InferenceMetrics();
    const outputs = outputsOf(9, 1, 3, 4); // two pictures, then their mirror images
    outputs.probabilities[3 * 10 + 4] = 0.97; // the second mirror image is the surer
    const predictor = metrics.observed(predictorOf(3, () => Promise.resolve(outputs)));
    await predictPictures(predictor, { images: new Uint8Array(2 * 784), facts: [PHOTO, PHOTO] });
    const samples = await samplesOf(metrics.registry);
    const counted = Object.entries(samples).filter(
      ([name, count]) => name.startsWith('prediction_class') && (count ?? 0) > 0,
    );
    assert.deepEqual(Object.fromEntries(counted), {
      [`prediction_class_total{${OF_3},class="Ankle boot"}`]: 1,
      [`prediction_class_total{${OF_3},class="Coat"}`]: 1,
    });
    assert.equal(samples[`prediction_confidence_count{${OF_3}}`], 2);
    assert.equal(samples[`prediction_confidence_bucket{le="0.95",${OF_3}}`], 1);
    assert.equal(samples[`nv_inference_count{${OF_3}}`], 4, 'what the model computed');
  });

  test('count no copy of what another version answered, whatever becomes of it', async () => {
    const metrics = new InferenceMetrics();
    let answer = () => Promise.resolve(outputsOf(9));
    const predictor = metrics.observed(predictorOf(3, () => answer()));
    await predictor.predict(image, { priority: 'copy' });
    answer = () => Promise.reject(new RetryLater('overloaded', 'Too many wait.'));
    await assert.rejects(predictor.predict(image, { priority: 'copy' }));
    const samples = await samplesOf(metrics.registry);
    for (const name of ['nv_inference_request_success', 'nv_inference_count', 'inference_total_seconds_count']) {
      assert.equal(samples[`${name}{${OF_3}}`], 0, name);
    }
    assert.equal(samples[`nv_inference_request_failure{${OF_3},reason="REJECTED"}`], 0);
    assert.equal(samples['requests_refused_total{code="overloaded"}'], 0);
    metrics.close();
  });

  test('show what waits', async () => {
    const metrics = new InferenceMetrics();
    let answer: (outputs: Outputs) => void = () => undefined;
    const predictor = metrics.observed(predictorOf(3, () => new Promise((resolve) => (answer = resolve))));
    metrics.watch({ waiting: () => ({ rows: 17, pictures: 2, ratio: 0.25 }), computePid: () => process.pid });
    const predicted = predictor.predict(image);
    const waiting = await samplesOf(metrics.registry);
    assert.equal(waiting[`nv_inference_pending_request_count{${OF_3}}`], 1);
    assert.deepEqual([waiting['queue_rows'], waiting['decoding_pictures']], [17, 2]);
    assert.equal(waiting['queue_ratio'], 0.25);
    if (process.platform === 'linux') assert.ok((waiting['compute_process_resident_memory_bytes'] ?? 0) > 1e6);
    answer(outputsOf(0));
    await predicted;
    assert.equal((await samplesOf(metrics.registry))[`nv_inference_pending_request_count{${OF_3}}`], 0);
    metrics.close();
  });

  test('agree with the batches, for Triton with every request bearing the whole run that it shared', async () => {
    const metrics = new InferenceMetrics();
    metrics.computed(BATCH);
    metrics.computed({ ...BATCH, reason: 'idle', rows: 1, bucket: 1, queueMs: [0] });
    const samples = await samplesOf(metrics.registry);
    const expected: Record<string, number> = {
      [`nv_inference_exec_count{${OF_3}}`]: 2,
      [`nv_inference_queue_duration_us{${OF_3}}`]: 6000,
      [`nv_inference_compute_input_duration_us{${OF_3}}`]: 0,
      [`nv_inference_compute_infer_duration_us{${OF_3}}`]: 30_000,
      [`nv_inference_compute_output_duration_us{${OF_3}}`]: 0,
      [`inference_queue_seconds_count{${OF_3}}`]: 3,
      [`inference_compute_seconds_sum{${OF_3}}`]: 0.02,
      [`inference_batch_rows_bucket{le="1",${OF_3}}`]: 1,
      [`inference_batch_rows_bucket{le="4",${OF_3}}`]: 2,
      [`inference_batch_rows_bucket{le="+Inf",${OF_3}}`]: 2,
      [`batch_padding_rows_total{${OF_3}}`]: 1,
      'batch_close_total{reason="full"}': 1,
      'batch_close_total{reason="idle"}': 1,
    };
    for (const [name, value] of Object.entries(expected)) assert.equal(samples[name], value, name);
    metrics.close();
  });

  test('are 0 from the start where alarms are on what is added', async () => {
    const samples = await samplesOf(new InferenceMetrics().registry);
    const codes = ['overloaded', 'deadline-exceeded', 'not-ready', 'shutting-down'];
    for (const code of codes) assert.equal(samples[`requests_refused_total{code="${code}"}`], 0, code);
    for (const reason of ['died', 'stuck'])
      assert.equal(samples[`engine_restarts_total{reason="${reason}"}`], 0, reason);
  });

  test('count what is told, by its one label', async () => {
    const metrics = new InferenceMetrics();
    metrics.cancelled('queue');
    metrics.cancelled('queue');
    metrics.cancelled('decode');
    metrics.restarted('it is stuck: question 7 was not answered in time');
    metrics.restarted('The process ended with SIGKILL.');
    metrics.swapped('fashion-mlp');
    metrics.refused(BATCH.version, 'golden-mismatch');
    metrics.compared(BATCH.version, { images: 5, disagrees: 2 });
    metrics.shadowDropped();
    metrics.shadowFailed(BATCH.version, 'engine-lost');
    metrics.decoded(3);
    const samples = await samplesOf(metrics.registry);
    const expected: Record<string, number> = {
      'requests_cancelled_total{stage="queue"}': 2,
      'requests_cancelled_total{stage="decode"}': 1,
      'engine_restarts_total{reason="stuck"}': 1,
      'engine_restarts_total{reason="died"}': 1,
      'model_swaps_total{model="fashion-mlp"}': 1,
      'model_refusals_total{code="golden-mismatch"}': 1,
      'shadow_images_total{class="same"}': 3,
      'shadow_images_total{class="other"}': 2,
      'shadow_failures_total{reason="dropped"}': 1,
      'shadow_failures_total{reason="engine-lost"}': 1,
      'inference_decode_seconds_bucket{le="0.0025"}': 0,
      'inference_decode_seconds_bucket{le="0.005"}': 1,
    };
    for (const [name, value] of Object.entries(expected)) assert.equal(samples[name], value, name);
    metrics.close();
  });

  test('say what each version computes on until it is closed, and in which state it is', async () => {
    const metrics = new InferenceMetrics();
    const predictor = metrics.observed(predictorOf(3, () => Promise.resolve(outputsOf(0))));
    metrics.watch({
      statuses: () => [{ version: predictor.version, state: 'READY', reason: '', labels: ['stable'] }],
    });
    const device = `device_info{${OF_3},requested="auto",actual="cpu",reason="no driver"}`;
    const samples = await samplesOf(metrics.registry);
    assert.equal(samples[device], 1);
    assert.equal(samples[`model_version_info{${OF_3},digest="sha256:00",labels="stable"}`], 1);
    assert.equal(samples[`model_version_state{${OF_3},state="READY"}`], 1);
    assert.equal(samples[`model_version_state{${OF_3},state="LOADING"}`], 0);
    await predictor.close();
    assert.equal((await samplesOf(metrics.registry))[device], undefined);
    metrics.close();
  });

  test('stay as many, however many versions come and go', async () => {
    const metrics = new InferenceMetrics();
    const staying = metrics.observed(predictorOf(1, () => Promise.resolve(outputsOf(0))));
    await staying.predict(image);
    for (let version = 2; version <= 200; version++) {
      await metrics.observed(predictorOf(version, () => Promise.resolve(outputsOf(0)))).close();
    }
    const samples = await samplesOf(metrics.registry);
    const versions = Object.keys(samples).filter((name) => name.startsWith('nv_inference_count{'));
    assert.equal(versions.length, 17);
    assert.equal(samples['nv_inference_count{model="fashion-mlp",version="1"}'], 1);
    assert.ok('nv_inference_count{model="fashion-mlp",version="200"}' in samples);
    metrics.close();
  });
});
