import assert from 'node:assert/strict';
import type { ConformanceCase } from '../conformance-case.ts';
import type { Answer } from '../connection.ts';
import { assertError } from '../errors.ts';
import { assertSame, inferenceRequest, readInference } from '../inference.ts';
import type { Subject } from '../subject.ts';

interface Statistics {
  model_stats: {
    name: string;
    version: string;
    inference_count: number;
    execution_count: number;
    inference_stats: Record<string, { count: number; ns: number }>;
  }[];
}

interface IndexEntry {
  name: string;
  version?: string;
  state?: string;
  reason?: string;
}

const STATES = ['READY', 'UNAVAILABLE', 'LOADING', 'UNLOADING'];

function jsonOf<T>({ status, body }: Answer): T {
  assert.equal(status, 200, body.toString().slice(0, 300));
  return JSON.parse(body.toString()) as T;
}

/** Successful requests to the model, of all versions. */
async function countedSuccesses({ connection, path }: Subject): Promise<number> {
  const { model_stats } = jsonOf<Statistics>(await connection.send({ method: 'GET', path: `${path}/stats` }));
  assert.ok(model_stats.length > 0);
  return model_stats.reduce((sum, { inference_stats }) => sum + (inference_stats['success']?.count ?? NaN), 0);
}

export const EXTENSIONS: ConformanceCase[] = [
  {
    name: 'classifies: value, index and label, best first',
    section: 'Extension: Classification',
    extension: 'classification',
    async run({ connection, path, model, samples, reference }) {
      for (const { name, shape } of model.outputs) {
        const classes = shape.at(-1) ?? 0;
        if (classes < 2) continue;
        for (const binary_data of [false, true]) {
          const outputs = [{ name, parameters: { classification: 2, binary_data } }];
          const answer = readInference(await connection.send(inferenceRequest(path, { inputs: samples(), outputs })));
          const output = answer.outputs.get(name);
          assert.equal(output?.datatype, 'BYTES');
          assert.deepEqual(output.shape, [1, 2]);
          const values = (await reference()).outputs.get(name)?.values.map(Number) ?? [];
          const best = [...values.keys()].sort((a, b) => (values[b] ?? 0) - (values[a] ?? 0)).slice(0, 2);
          const told = output.values.map((text) => String(text).split(':'));
          assert.deepEqual(
            told.map(([, index]) => Number(index)),
            best,
          );
          told.forEach(([value], place) =>
            assert.ok(Math.abs(Number(value) - (values[best[place] ?? 0] ?? NaN)) < 1e-3),
          );
        }
      }
    },
  },
  {
    name: 'takes a priority and a timeout',
    section: 'Extension: Schedule Policy',
    extension: 'schedule_policy',
    async run({ connection, path, samples, reference }) {
      const parameters = { priority: 1, timeout: 10_000_000 };
      assertSame(
        readInference(await connection.send(inferenceRequest(path, { inputs: samples(), parameters }))),
        await reference(),
      );
    },
  },
  {
    name: 'counts what it answers',
    section: 'Extension: Statistics',
    extension: 'statistics',
    async run(subject) {
      const before = await countedSuccesses(subject);
      const sent = inferenceRequest(subject.path, { inputs: subject.samples() });
      readInference(await subject.connection.send(sent));
      assert.ok((await countedSuccesses(subject)) > before);
    },
  },
  {
    name: 'gives the statistics of all models, with every duration',
    section: 'Extension: Statistics',
    extension: 'statistics',
    async run({ connection, model }) {
      const { model_stats } = jsonOf<Statistics>(await connection.send({ method: 'GET', path: '/v2/models/stats' }));
      const ours = model_stats.find(({ name }) => name === model.name);
      assert.ok(ours !== undefined);
      assert.equal(typeof ours.version, 'string');
      for (const name of ['success', 'fail', 'queue', 'compute_input', 'compute_infer', 'compute_output']) {
        const { count, ns } = ours.inference_stats[name] ?? {};
        assert.ok(Number.isInteger(count) && Number.isInteger(ns), name);
      }
    },
  },
  {
    name: 'lists its repository, and what of it is ready',
    section: 'Extension: Model Repository, Index',
    extension: 'model_repository',
    async run({ connection, model }) {
      const ask = async (body: string) =>
        jsonOf<IndexEntry[]>(await connection.send({ method: 'POST', path: '/v2/repository/index', body }));
      const [all, ready] = [await ask('{}'), await ask('{"ready":true}')];
      assert.ok(all.some(({ name }) => name === model.name));
      for (const { name, version = '', state = 'READY', reason = '' } of all) {
        assert.ok([name, version, reason].every((text) => typeof text === 'string'));
        assert.ok(STATES.includes(state), state);
      }
      assert.ok(ready.some(({ name }) => name === model.name));
      assert.ok(ready.every(({ state = 'READY' }) => state === 'READY'));
    },
  },
  {
    name: 'loads and unloads no model that it does not have, or nobody may',
    section: 'Extension: Model Repository, Load and Unload',
    extension: 'model_repository',
    async run({ connection }) {
      for (const model of ['no-such-model', '%20', '..%2f..%2fetc']) {
        const path = `/v2/repository/models/${model}/load`;
        assertError(await connection.send({ method: 'POST', path, body: '{}' }));
      }
    },
  },
  {
    name: 'gives its configuration',
    section: 'Extension: Model Configuration',
    extension: 'model_configuration',
    async run({ connection, path, model }) {
      const config = jsonOf<{ name: string; input: { name: string }[]; output: { name: string }[] }>(
        await connection.send({ method: 'GET', path: `${path}/config` }),
      );
      assert.equal(config.name, model.name);
      for (const [described, configured] of [
        [model.inputs, config.input],
        [model.outputs, config.output],
      ] as const) {
        assert.deepEqual(configured.map(({ name }) => name).sort(), described.map(({ name }) => name).sort());
      }
    },
  },
];
