import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readConfig } from '@atelier/inference';

describe('the configuration of the inference service', () => {
  test('has a default for every setting, and an empty variable counts as unset', () => {
    const defaults = readConfig({});
    assert.deepEqual(defaults, {
      host: '127.0.0.1',
      port: 8080,
      grpcPort: undefined,
      apiKeys: [],
      allowedHosts: [],
      modelsDirectory: 'models',
      modelName: 'fashion-mlp',
      models: '*',
      keepVersions: 2,
      pollMs: 2000,
      canaryPercent: 0,
      shadowPercent: 0,
      maximumBodyBytes: 16 * 1024 * 1024,
      maximumBodiesBytes: 256 * 1024 * 1024,
      maximumJsonBytes: 8 * 1024 * 1024,
      maximumImages: 256,
      maximumFiles: 32,
      driftAnswers: 5_000,
      driftMinutes: 1_440,
      maximumExplained: 8,
      maximumPixels: 40_000_000,
      scratchDirectory: undefined,
      evaluations: 1,
      evaluationUploads: 8,
      evaluationsKept: 16,
      maximumUploadBytes: 1024 * 1024 * 1024,
      maximumScratchBytes: 4096 * 1024 * 1024,
      maximumEntries: 100_000,
      maximumEntryBytes: 16 * 1024 * 1024,
      maximumUnpackedBytes: 4096 * 1024 * 1024,
      maximumRatio: 200,
      datasetDirectory: undefined,
      datasetCache: 'data/fashion-mnist',
      device: 'auto',
      workers: undefined,
      decoders: undefined,
      maximumDelayMs: 2,
      maximumQueue: 1024,
      maximumWaitMs: 5000,
      stuckMs: 1000,
      graceMs: 2000,
      maximumUrlBytes: 8192,
      maximumHeaderBytes: 16_384,
      headersTimeoutMs: 10_000,
      requestTimeoutMs: 60_000,
      uploadTimeoutMs: 3_600_000,
      stalledMs: 30_000,
      keepAliveMs: 65_000,
      maximumConnections: 10_000,
      otlpEndpoint: undefined,
      logLevel: 'info',
    });
    assert.deepEqual(readConfig({ INFERENCE_PORT: '', MODELS_DIR: '' }), defaults);
  });

  test('comes from the variables, 0 included, and cannot be changed afterwards', () => {
    const config = readConfig({ INFERENCE_PORT: '0', INFERENCE_HOST: '0.0.0.0', LOG_LEVEL: 'warn' });
    assert.deepEqual([config.port, config.host, config.logLevel], [0, '0.0.0.0', 'warn']);
    assert.ok(Object.isFrozen(config));
  });

  test('reports every fault together, each with its variable and what came', () => {
    const variables = {
      INFERENCE_PORT: '65536',
      INFERENCE_MAX_IMAGES: '1.5',
      INFERENCE_MAX_FILES: '0',
      INFERENCE_MODEL: '../secrets',
      LOG_LEVEL: 'loud',
    };
    assert.throws(
      () => readConfig(variables),
      (error: { code?: string; message: string }) => {
        assert.equal(error.code, 'invalid-configuration');
        for (const [variable, value] of Object.entries(variables)) {
          assert.ok(error.message.includes(`${variable}=${value}: `), `${variable} in: ${error.message}`);
        }
        assert.match(error.message, /PORT=65536: expected a whole number from 0 to 65,535;/);
        assert.match(error.message, /MAX_IMAGES=1\.5: expected a whole number from 1 to 10,000;/);
        return true;
      },
    );
  });
});
