import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import {
  Client,
  credentials,
  Metadata,
  type MethodDefinition,
  type ServiceDefinition,
  type ServiceError,
  status as STATUS,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

/** The service's own schema, read as any client reads it. */
export const SCHEMA = loadSync(
  fileURLToPath(new URL('../../services/inference/src/grpc/inference.proto', import.meta.url)),
  { keepCase: true, longs: Number, enums: String, defaults: true, oneofs: true },
);
const SERVICE = SCHEMA['inference.GRPCInferenceService'] as ServiceDefinition;

export interface CallSettings {
  metadata?: Record<string, string>;
  /** From now. */
  deadlineMs?: number;
  signal?: AbortSignal;
}

export interface GrpcAnswer<Response> {
  response: Response;
  initial: Metadata;
}

/** One connection of a client; calls methods by their names. */
export class GrpcClient {
  readonly #client: Client;
  readonly #service: ServiceDefinition;

  constructor(address: string, { service = SERVICE, compressed = false } = {}) {
    this.#client = new Client(address, credentials.createInsecure(), {
      // A connection of its own: the library would let clients of one address share one.
      'grpc.use_local_subchannel_pool': 1,
      'grpc.enable_retries': 0,
      'grpc.default_compression_algorithm': compressed ? 2 : 0, // gzip or none
    });
    this.#service = service;
  }

  /** `request` is an object of the schema, or the very bytes of a message. */
  ask<Response>(method: string, request: object | Buffer, settings: CallSettings = {}): Promise<GrpcAnswer<Response>> {
    const definition = this.#service[method] as MethodDefinition<object, Response>;
    const metadata = new Metadata();
    for (const [name, value] of Object.entries(settings.metadata ?? {})) metadata.set(name, value);
    const serialize = (message: object) => (Buffer.isBuffer(message) ? message : definition.requestSerialize(message));
    return new Promise((resolve, reject) => {
      let initial = new Metadata();
      const call = this.#client.makeUnaryRequest(
        definition.path,
        serialize,
        definition.responseDeserialize,
        request,
        metadata,
        settings.deadlineMs === undefined ? {} : { deadline: Date.now() + settings.deadlineMs },
        (error, response) => (response === undefined ? reject(error as Error) : resolve({ response, initial })),
      );
      call.on('metadata', (received) => (initial = received));
      settings.signal?.addEventListener('abort', () => call.cancel());
    });
  }

  /** What `ask` answers, without the metadata. */
  async call<Response>(method: string, request: object | Buffer, settings?: CallSettings): Promise<Response> {
    return (await this.ask<Response>(method, request, settings)).response;
  }

  /** For services of others. */
  get connection(): Client {
    return this.#client;
  }

  close(): void {
    this.#client.close();
  }
}

/** Checks that a call fails with a status and a code of ours, and returns the failure. */
export async function failureOf(
  call: Promise<unknown>,
  status: keyof typeof STATUS,
  code?: string,
): Promise<ServiceError> {
  const outcome: unknown = await call.then(
    (answer) => assert.fail(`expected ${status}; was answered ${JSON.stringify(answer).slice(0, 200)}`),
    (error: unknown) => error,
  );
  const error = outcome as ServiceError;
  assert.equal(STATUS[error.code], status, error.message);
  if (code !== undefined) assert.equal(error.metadata.get('x-error-code')[0], code, error.message);
  assert.ok(!JSON.stringify(error.details).includes('node_modules'));
  return error;
}
