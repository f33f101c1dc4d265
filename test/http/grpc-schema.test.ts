import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { ApiKeys, inferenceAccess } from '@atelier/inference';
import { Metadata, type ServiceDefinition } from '@grpc/grpc-js';
import {
  type EnumTypeDefinition,
  loadFileDescriptorSetFromBuffer,
  loadSync,
  type PackageDefinition,
} from '@grpc/proto-loader';
import { failureOf, GrpcClient, SCHEMA } from '../support/grpc-client.ts';
import { randomImage } from '../support/published-version.ts';
import { rawRequest, stubGrpcService } from '../support/stub-grpc-service.ts';

/** The published numbers, by hand from open_inference_grpc.proto, grpc_service.proto and model_config.proto. */
const PUBLISHED: Record<string, Record<string, number>> = {
  ServerLiveRequest: {},
  ServerLiveResponse: { live: 1 },
  ServerReadyRequest: {},
  ServerReadyResponse: { ready: 1 },
  ModelReadyRequest: { name: 1, version: 2 },
  ModelReadyResponse: { ready: 1 },
  ServerMetadataRequest: {},
  ServerMetadataResponse: { name: 1, version: 2, extensions: 3 },
  ModelMetadataRequest: { name: 1, version: 2 },
  ModelMetadataResponse: { name: 1, versions: 2, platform: 3, inputs: 4, outputs: 5 },
  'ModelMetadataResponse.TensorMetadata': { name: 1, datatype: 2, shape: 3 },
  ModelInferRequest: {
    model_name: 1,
    model_version: 2,
    id: 3,
    parameters: 4,
    inputs: 5,
    outputs: 6,
    raw_input_contents: 7,
  },
  'ModelInferRequest.InferInputTensor': { name: 1, datatype: 2, shape: 3, parameters: 4, contents: 5 },
  'ModelInferRequest.InferRequestedOutputTensor': { name: 1, parameters: 2 },
  ModelInferResponse: { model_name: 1, model_version: 2, id: 3, parameters: 4, outputs: 5, raw_output_contents: 6 },
  'ModelInferResponse.InferOutputTensor': { name: 1, datatype: 2, shape: 3, parameters: 4, contents: 5 },
  InferParameter: { bool_param: 1, int64_param: 2, string_param: 3, double_param: 4, uint64_param: 5 },
  InferTensorContents: {
    bool_contents: 1,
    int_contents: 2,
    int64_contents: 3,
    uint_contents: 4,
    uint64_contents: 5,
    fp32_contents: 6,
    fp64_contents: 7,
    bytes_contents: 8,
  },
  ModelConfigRequest: { name: 1, version: 2 },
  ModelConfigResponse: { config: 1 },
  ModelInput: { name: 1, data_type: 2, dims: 4 },
  ModelOutput: { name: 1, data_type: 2, dims: 3 },
  ModelInstanceGroup: { name: 1, kind: 4, count: 2 },
  ModelDynamicBatching: { max_queue_delay_microseconds: 2 },
  ModelConfig: {
    name: 1,
    platform: 2,
    backend: 17,
    max_batch_size: 4,
    input: 5,
    output: 6,
    instance_group: 7,
    default_model_filename: 8,
    dynamic_batching: 11,
  },
  ModelStatisticsRequest: { name: 1, version: 2 },
  StatisticDuration: { count: 1, ns: 2 },
  InferStatistics: { success: 1, fail: 2, queue: 3, compute_input: 4, compute_infer: 5, compute_output: 6 },
  InferBatchStatistics: { batch_size: 1, compute_input: 2, compute_infer: 3, compute_output: 4 },
  ModelStatistics: {
    name: 1,
    version: 2,
    last_inference: 3,
    inference_count: 4,
    execution_count: 5,
    inference_stats: 6,
    batch_stats: 7,
  },
  ModelStatisticsResponse: { model_stats: 1 },
  ModelRepositoryParameter: { bool_param: 1, int64_param: 2, string_param: 3, bytes_param: 4 },
  RepositoryIndexRequest: { repository_name: 1, ready: 2 },
  RepositoryIndexResponse: { models: 1 },
  'RepositoryIndexResponse.ModelIndex': { name: 1, version: 2, state: 3, reason: 4 },
  RepositoryModelLoadRequest: { repository_name: 1, model_name: 2, parameters: 3 },
  RepositoryModelLoadResponse: {},
  RepositoryModelUnloadRequest: { repository_name: 1, model_name: 2, parameters: 3 },
  RepositoryModelUnloadResponse: {},
};

/** A byte more or less would be another type on the wire: what each kind of content is encoded as. */
const CONTENT_TYPES = ['BOOL', 'INT32', 'INT64', 'UINT32', 'UINT64', 'FLOAT', 'DOUBLE', 'BYTES'];

interface Described {
  name: string;
  field: { name: string; number: number; type: string; label: string }[];
  nestedType: Described[];
}

/** The messages of a schema by their names, nested ones included; the entries of maps are none. */
function messagesIn(schema: PackageDefinition): Map<string, Described> {
  const found = new Map<string, Described>();
  const add = (name: string, described: Described) => {
    found.set(name, described);
    for (const nested of described.nestedType) add(`${name}.${nested.name}`, nested);
  };
  for (const [name, definition] of Object.entries(schema)) {
    if ('serialize' in definition) add(name.replace('inference.', ''), definition.type as Described);
  }
  return found;
}

describe('the schema', () => {
  test('has the published fields and numbers', () => {
    const found = Object.fromEntries(
      [...messagesIn(SCHEMA)]
        .filter(([name]) => !name.endsWith('.Parameters'))
        .map(([name, { field }]) => [name, Object.fromEntries(field.map((each) => [each.name, each.number]))]),
    );
    assert.deepEqual(found, PUBLISHED);
  });

  test('encodes contents as published', () => {
    const field = messagesIn(SCHEMA).get('InferTensorContents')?.field ?? [];
    assert.deepEqual(
      field.map(({ type, label }) => [type, label]),
      CONTENT_TYPES.map((type) => [`TYPE_${type}`, 'LABEL_REPEATED']),
    );
  });

  test('numbers the datatypes of a configuration as published', () => {
    const { value } = (SCHEMA['inference.DataType'] as EnumTypeDefinition).type as { value: object[] };
    const names = 'INVALID BOOL UINT8 UINT16 UINT32 UINT64 INT8 INT16 INT32 INT64 FP16 FP32 FP64 STRING BF16'.split(
      ' ',
    );
    assert.deepEqual(
      value.map((each) => [(each as { name: string }).name, (each as { number: number }).number]),
      names.map((name, number) => [`TYPE_${name}`, number]),
    );
  });
});

/** What the library's own schema of the reflection service gives; the two versions have the same messages. */
interface ReflectionAnswer {
  list_services_response?: { service: { name: string }[] };
  file_descriptor_response?: { file_descriptor_proto: Buffer[] };
  error_response?: { error_message: string };
}

function reflectionService(version: 'v1' | 'v1alpha'): ServiceDefinition {
  const library = dirname(createRequire(import.meta.url).resolve('@grpc/reflection/package.json'));
  const schema = loadSync(join(library, `build/proto/grpc/reflection/${version}/reflection.proto`), { keepCase: true });
  return schema[`grpc.reflection.${version}.ServerReflection`] as ServiceDefinition;
}

/** One question, asked on a stream of its own. */
function reflect(client: GrpcClient, version: 'v1' | 'v1alpha', question: object): Promise<ReflectionAnswer> {
  const method = reflectionService(version)['ServerReflectionInfo'] ?? assert.fail();
  const { path, requestSerialize, responseDeserialize } = method;
  const deserialize = responseDeserialize as (bytes: Buffer) => ReflectionAnswer;
  const stream = client.connection.makeBidiStreamRequest(path, requestSerialize, deserialize, new Metadata());
  return new Promise((resolve, reject) => {
    stream.on('data', resolve);
    stream.on('error', reject);
    stream.write(question);
    stream.end();
  });
}

/** A `FileDescriptorSet` (descriptor.proto): its one field repeated. */
function descriptorSet(files: readonly Buffer[]): Buffer {
  return Buffer.concat(
    files.flatMap((file) => [
      Buffer.from([0x0a, (file.length & 127) | 128, (file.length >> 7) | 128, file.length >> 14]),
      file,
    ]),
  );
}

describe('reflection', () => {
  for (const version of ['v1', 'v1alpha'] as const) {
    test(`${version} tells a client all that it needs to call the service`, async (t) => {
      const service = await stubGrpcService();
      t.after(() => service.close());
      const list = await reflect(service.client, version, { list_services: '' });
      const names = list.list_services_response?.service.map(({ name }) => name) ?? [];
      assert.ok(names.includes('inference.GRPCInferenceService'));
      assert.ok(names.includes('grpc.health.v1.Health'));
      const answer = await reflect(service.client, version, {
        file_containing_symbol: 'inference.GRPCInferenceService',
      });
      const files = answer.file_descriptor_response?.file_descriptor_proto ?? [];
      const learnt = loadFileDescriptorSetFromBuffer(descriptorSet(files), { keepCase: true, longs: Number });
      assert.ok(messagesIn(learnt).has('ModelInferRequest.ParametersEntry'), 'as clients in Go want it');
      const client = new GrpcClient(service.address, {
        service: learnt['inference.GRPCInferenceService'] as ServiceDefinition,
      });
      t.after(() => client.close());
      const image = randomImage(1, 7);
      // The library takes a map that it learnt from a descriptor as the list that it is on the wire.
      const parameters = [{ key: 'timeout', value: { int64_param: 60_000_000 } }];
      interface Answer {
        model_version: string;
        raw_output_contents: Buffer[];
      }
      const inferred = await client.call<Answer>('ModelInfer', rawRequest(image, { model_version: '2', parameters }));
      assert.equal(inferred.model_version, '2');
      assert.equal(inferred.raw_output_contents[0]?.readFloatLE(0), 7);
      // What travelled in the map was understood too.
      const wrong = rawRequest(image, { parameters: [{ key: 'timeout', value: { int64_param: -1 } }] });
      await failureOf(client.call('ModelInfer', wrong), 'INVALID_ARGUMENT', 'invalid-request');
    });
  }

  test('is open to whoever has a key, where there are keys', async (t) => {
    const access = inferenceAccess(ApiKeys.parse('reader-0123456789:infer'));
    const service = await stubGrpcService({ access });
    t.after(() => service.close());
    await failureOf(reflect(service.client, 'v1', { list_services: '' }), 'UNAUTHENTICATED');
  });
});
