import assert from 'node:assert/strict';
import { type ConformanceCase, NotApplicable } from '../conformance-case.ts';
import { PROTOCOL_DATATYPES } from '../datatypes.ts';
import { assertRefused } from '../errors.ts';
import type { ModelMetadata, Subject } from '../subject.ts';

/** A 200; a server that says more than that says it in the field. */
async function assertHealthy({ connection }: Subject, path: string, field: string): Promise<void> {
  const { status, body } = await connection.send({ method: 'GET', path });
  assert.equal(status, 200);
  if (body.length === 0) return;
  assert.equal((JSON.parse(body.toString()) as Record<string, unknown>)[field], true, body.toString());
}

function versionOf({ version }: Subject): string {
  if (version !== undefined) return version;
  throw new NotApplicable('the model has no versions');
}

function assertModelMetadata(metadata: ModelMetadata, name: string): void {
  assert.equal(metadata.name, name);
  assert.equal(typeof metadata.platform, 'string');
  for (const version of metadata.versions ?? []) assert.equal(typeof version, 'string');
  for (const tensors of [metadata.inputs, metadata.outputs]) {
    assert.ok(tensors.length > 0);
    for (const { name, datatype, shape } of tensors) {
      assert.equal(typeof name, 'string');
      assert.ok(PROTOCOL_DATATYPES.includes(datatype), `${name} is ${datatype}`);
      assert.ok(Array.isArray(shape) && shape.every((size) => Number.isInteger(size) && size >= -1), name);
    }
  }
  for (const [key, value] of Object.entries(metadata.properties ?? {})) assert.equal(typeof value, 'string', key);
}

export const HEALTH_AND_METADATA: ConformanceCase[] = [
  {
    name: 'is live',
    section: 'Server Live API',
    run: (subject) => assertHealthy(subject, '/v2/health/live', 'live'),
  },
  {
    name: 'is ready',
    section: 'Server Ready API',
    run: (subject) => assertHealthy(subject, '/v2/health/ready', 'ready'),
  },
  {
    name: 'has a model that is ready',
    section: 'Model Ready API',
    run: (subject) => assertHealthy(subject, `${subject.path}/ready`, 'ready'),
  },
  {
    name: 'has a version that is ready',
    section: 'Model Ready API',
    run: (subject) => assertHealthy(subject, `${subject.path}/versions/${versionOf(subject)}/ready`, 'ready'),
  },
  {
    name: 'does not call a model ready that it does not have',
    section: 'Model Ready API',
    run: async (subject) => {
      await assertRefused(subject, { method: 'GET', path: '/v2/models/no-such-model/ready' }, { status: 404 });
    },
  },
  {
    name: 'says what it is, and which extensions it has',
    section: 'Server Metadata Response JSON Object',
    async run({ server }) {
      await Promise.resolve();
      assert.equal(typeof server.name, 'string');
      assert.equal(typeof server.version, 'string');
      assert.ok(Array.isArray(server.extensions) && server.extensions.every((name) => typeof name === 'string'));
    },
  },
  {
    name: 'describes its model',
    section: 'Model Metadata Response JSON Object',
    async run({ model, path }) {
      await Promise.resolve();
      assertModelMetadata(model, decodeURIComponent(path.replace('/v2/models/', '')));
    },
  },
  {
    name: 'describes a version of its model',
    section: 'Model Metadata Response JSON Object',
    async run(subject) {
      const path = `${subject.path}/versions/${versionOf(subject)}`;
      const { status, body } = await subject.connection.send({ method: 'GET', path });
      assert.equal(status, 200);
      const metadata = JSON.parse(body.toString()) as ModelMetadata;
      assertModelMetadata(metadata, subject.model.name);
      assert.deepEqual([metadata.inputs, metadata.outputs], [subject.model.inputs, subject.model.outputs]);
    },
  },
];
