import { isIPv6 } from 'node:net';
import { DomainError, messageOf, PIXELS_PER_IMAGE } from '@atelier/domain';
import { BodyBudget, limitConnections, type Log } from '@atelier/http';
import {
  logVerbosity,
  Server,
  ServerCredentials,
  type ServiceDefinition,
  setLogVerbosity,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { protoPath as healthSchema } from 'grpc-health-check';
import { Calls } from './calls.ts';
import { NOBODY } from './call-record.ts';
import { Health } from './health.ts';
import { http2ServersOf, Http2Streams } from './http2-streams.ts';
import { INFER_REQUEST, refuseCostly } from './message-cost.ts';
import { createMethods, isReady, type MethodParts } from './methods.ts';
import { addReflection } from './reflection.ts';
import { loadSchema, serviceIn } from './schema.ts';
import { METHODS } from './service.ts';
import type { GrpcOptions, RunningGrpc } from './start-grpc.ts';
import { decoder, type Method, unary, undecoded } from './unary.ts';

/** One connection's; more wait on the client's side. A client that wants more opens another. */
const CALLS_PER_CONNECTION = 256;

/** A connection whose other end does not answer any more is found after this time and given up. */
const KEEPALIVE = { 'grpc.keepalive_time_ms': 120_000, 'grpc.keepalive_timeout_ms': 20_000 };

/** Listens with the service, its health and its reflection; `address-unavailable` says why it cannot. */
export async function listenForGrpc(parts: MethodParts, options: GrpcOptions): Promise<RunningGrpc> {
  const { host, port, maximumBodyBytes, access, log, graceMs = 10_000, arrivalLimitMs = 300_000 } = options;
  const { stalledMs = 300_000, keepAliveMs = 0, maximumConnections, bodies = new BodyBudget(Infinity) } = options;
  setLogVerbosity(logVerbosity.NONE); // it would write to standard error, past our log
  const health = new Health(() => isReady(parts));
  const streams = new Http2Streams();
  const calls = new Calls(
    {
      access,
      admit: () => parts.admit('pixels'),
      refreshHealth: () => health.refresh(),
      arrivalLimitMs,
      stalledMs,
      maximumBytes: maximumBodyBytes,
      bodies,
      streams,
    },
    { log, calls: options.calls ?? NOBODY, spans: options.spans },
  );
  const server = new Server({
    ...KEEPALIVE,
    ...(keepAliveMs > 0 && { 'grpc.max_connection_idle_ms': keepAliveMs }),
    'grpc.max_concurrent_streams': CALLS_PER_CONNECTION,
    'grpc.max_receive_message_length': maximumBodyBytes,
    interceptors: [calls.interceptor],
  });
  const schema = loadSchema();
  addInference(server, serviceIn(schema), parts, log);
  health.addTo(server);
  addReflection(server, schema, loadSync(healthSchema));
  const bound = await bind(server, host, port);
  for (const http2 of http2ServersOf(server)) {
    streams.watch(http2, (path) => calls.unknown(path));
    if (maximumConnections !== undefined) limitConnections(http2, maximumConnections, log);
  }
  let closed: Promise<void> | undefined;
  async function close(): Promise<void> {
    health.refresh();
    health.close();
    const drained = new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
    calls.endStreams();
    const limit = setTimeout(() => server.forceShutdown(), graceMs);
    await drained;
    clearTimeout(limit);
  }
  return { address: `${bracketed(host)}:${bound}`, close: () => (closed ??= close()) };
}

function addInference(server: Server, service: ServiceDefinition, parts: MethodParts, log: Log): void {
  // Twice what can be taken, so that a request with some images too many is told so.
  const maximumNumbers = 2 * parts.limits.maximumImages * PIXELS_PER_IMAGE;
  const check = (bytes: Buffer) => refuseCostly(bytes, INFER_REQUEST, maximumNumbers);
  const methods = createMethods(parts);
  const definition: Record<string, ServiceDefinition[string]> = {};
  const implementation: UntypedServiceImplementation = {};
  for (const name of METHODS) {
    const described = service[name];
    if (described === undefined) throw new TypeError(`inference.proto lacks ${name}.`);
    definition[name] = undecoded(described);
    const decode = decoder(described.requestDeserialize, check);
    implementation[name] = unary(methods[name] as Method<object, object>, decode, log);
  }
  server.addService(definition, implementation);
}

async function bind(server: Server, host: string, port: number): Promise<number> {
  try {
    return await new Promise((resolve, reject) => {
      server.bindAsync(`${bracketed(host)}:${port}`, ServerCredentials.createInsecure(), (error, bound) => {
        if (error === null) resolve(bound);
        else reject(error);
      });
    });
  } catch (cause) {
    const reason = /\b(EADDRINUSE|EACCES|EADDRNOTAVAIL|ENOTFOUND)\b/.exec(messageOf(cause))?.[1];
    throw new DomainError(
      'address-unavailable',
      `Cannot listen for gRPC on ${host}:${port}: ${reason ?? messageOf(cause)}.`,
      {
        cause,
      },
    );
  }
}

function bracketed(host: string): string {
  return isIPv6(host) ? `[${host}]` : host;
}
