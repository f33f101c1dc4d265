import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { settingsOf } from '@atelier/http';
import { readTrainerConfig, readWorkerConfig, TrainerConfig, WorkerConfig } from '@atelier/trainer';

const DEFAULTS = {
  token: undefined,
  datasetDirectory: undefined,
  queueUrl: undefined,
  host: '127.0.0.1',
  port: 8081,
  maximumQueued: 1000,
  maximumBodyBytes: 256 * 1024,
  runsDirectory: 'runs',
  modelsDirectory: 'models',
  modelName: 'fashion-mlp',
  datasetCache: 'data/fashion-mnist',
  device: 'auto',
  concurrency: 1,
  niceness: 5,
  queuePrefix: 'atelier',
  recoveryIntervalMs: 5000,
  logLevel: 'info',
};

describe('the configuration of the trainer', () => {
  test('has a default for all that it needs, and an empty variable counts as unset', () => {
    assert.deepEqual(readTrainerConfig({}), DEFAULTS);
    assert.deepEqual(readTrainerConfig({ TRAINER_TOKEN: '', QUEUE_URL: '', RUNS_DIR: '' }), DEFAULTS);
    assert.ok(Object.isFrozen(readTrainerConfig({})));
  });

  test('comes from the variables', () => {
    const config = readTrainerConfig({ TRAINER_PORT: '0', TRAINER_CONCURRENCY: '3', TRAINER_NICENESS: '0' });
    assert.deepEqual([config.port, config.concurrency, config.niceness], [0, 3, 0]);
  });

  test('reports every fault together, and repeats no secret', () => {
    const variables = {
      TRAINER_PORT: '65536',
      TRAINER_TOKEN: 'short-secret',
      TRAINER_CONCURRENCY: '0',
      TRAINER_MODEL: '../secrets',
      QUEUE_URL: 'http://user:secret@here',
      QUEUE_PREFIX: 'a b',
    };
    assert.throws(
      () => readTrainerConfig(variables),
      (error: { code?: string; message: string }) => {
        assert.equal(error.code, 'invalid-configuration');
        for (const variable of Object.keys(variables)) assert.ok(error.message.includes(variable), variable);
        assert.match(error.message, /TRAINER_PORT=65536: expected a whole number from 0 to 65,535/);
        assert.match(error.message, /QUEUE_URL: expected redis:\/\//);
        assert.doesNotMatch(error.message, /secret@|short-secret/);
        return true;
      },
    );
  });

  test('is less for a worker, which needs a queue', () => {
    assert.throws(() => readWorkerConfig({}), { code: 'invalid-configuration', message: /QUEUE_URL/ });
    const { queueUrl, concurrency } = readWorkerConfig({ QUEUE_URL: 'redis://here' });
    assert.deepEqual([queueUrl, concurrency], ['redis://here', 1]);
  });

  test('stands in the README, every setting with its default and what it says here, those of a worker last', async () => {
    const readme = await readFile(new URL('../../../services/trainer/README.md', import.meta.url), 'utf8');
    const defaults: Record<string, string | number | undefined> = readTrainerConfig({});
    const settings = settingsOf(TrainerConfig);
    for (const { field, variable, description } of settings) {
      const value = defaults[field] === undefined ? 'none' : `\`${String(defaults[field])}\``;
      assert.match(readme, new RegExp(`^\\| \`${variable}\` `, 'm'));
      const row = readme.split('\n').find((line) => line.startsWith(`| \`${variable}\` `)) ?? '';
      assert.deepEqual(row.split(/ *\| */).slice(1, -1), [`\`${variable}\``, value, description]);
    }
    const variables = settings.map(({ variable }) => variable);
    const ofWorker = settingsOf(WorkerConfig).map(({ variable }) => variable);
    assert.deepEqual(variables.slice(variables.indexOf('RUNS_DIR')), ofWorker);
  });
});
