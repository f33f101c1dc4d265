import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { test, type TestContext } from 'node:test';
import { DomainError } from '@atelier/domain';
import type { FinishedSpan } from '@atelier/http';
import { countCalls, InferenceMetrics } from '@atelier/inference';
import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';
import { failureOf, SCHEMA } from '../support/grpc-client.ts';
import { samplesIn, samplesOf } from '../support/metric-samples.ts';
import { randomImage } from '../support/published-version.ts';
import { http2Session, RawGrpcCall } from '../support/raw-grpc-call.ts';
import { servedOverGrpc } from '../support/served-over-grpc.ts';
import { firstPixels, rawRequest, type StubGrpcService, stubGrpcService } from '../support/stub-grpc-service.ts';
import { until } from '../support/until.ts';

const SERVICE = 'inference.GRPCInferenceService';
const { requestSerialize } = (SCHEMA[SERVICE] as ServiceDefinition)['ModelInfer'] as MethodDefinition<object, object>;
const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const parentSpanId = '00f067aa0ba902b7';
const infer = rawRequest(randomImage(1));

interface Observed extends StubGrpcService {
  spans: FinishedSpan[];
  samples: () => Promise<Record<string, number | undefined>>;
}

async function observedService(t: TestContext): Promise<Observed> {
  const metrics = new InferenceMetrics();
  const spans: FinishedSpan[] = [];
  const sink = { record: (span: FinishedSpan) => void spans.push(span) };
  const service = await stubGrpcService({ calls: countCalls(metrics.registry), spans: sink });
  t.after(async () => {
    metrics.close();
    await service.close();
  });
  return Object.assign(service, { spans, samples: () => samplesOf(metrics.registry) });
}

const labels = (method: string, service = SERVICE) =>
  `grpc_type="unary",grpc_service="${service}",grpc_method="${method}"`;

test('calls are counted by method and status, and failures by their code', async (t) => {
  const service = await observedService(t);
  await service.client.call('ModelInfer', infer);
  await failureOf(service.client.call('ModelInfer', { model_name: 'n' }), 'NOT_FOUND');
  await failureOf(service.client.call('ModelInfer', Buffer.from([0x0a, 0x7f])), 'INVALID_ARGUMENT');
  service.predict = () => new Promise(() => undefined);
  const session = http2Session(t, service.address);
  // Not a client of gRPC, which keeps its deadline itself and leaves a little before.
  const late = new RawGrpcCall(session, `/${SERVICE}/ModelInfer`, { 'grpc-timeout': '50m' });
  assert.equal((await late.send(requestSerialize(infer)).end().outcome())['grpc-status'], '4');
  const controller = new AbortController();
  service.predict = async (images) => {
    controller.abort();
    return new Promise(() => firstPixels(images));
  };
  await failureOf(service.client.call('ModelInfer', infer, { signal: controller.signal }), 'CANCELLED');
  for (const path of ['/nobody/Knows', `/${SERVICE}/ModelStreamInfer`]) {
    assert.equal((await new RawGrpcCall(session, path).end().outcome())['grpc-status'], '12');
  }
  const of = labels('ModelInfer');
  await until(
    'all have ended',
    async () => (await service.samples())[`grpc_server_handling_seconds_count{${of}}`] === 5,
  );
  const samples = await service.samples();
  assert.equal(samples[`grpc_server_started_total{${of}}`], 5);
  for (const code of ['OK', 'NotFound', 'InvalidArgument', 'DeadlineExceeded', 'Canceled']) {
    assert.equal(samples[`grpc_server_handled_total{${of},grpc_code="${code}"}`], 1, code);
  }
  const leaving = http2Session(t, service.address);
  new RawGrpcCall(leaving, `/${SERVICE}/ServerLive`).send(Buffer.alloc(100), { sent: 10 });
  const live = labels('ServerLive');
  await until('it has come', async () => (await service.samples())[`grpc_server_started_total{${live}}`] === 1);
  leaving.destroy();
  const canceled = `grpc_server_handled_total{${live},grpc_code="Canceled"}`;
  await until('it counts as one that left', async () => (await service.samples())[canceled] === 1);
  const timedWrongly = new RawGrpcCall(session, `/${SERVICE}/ServerLive`, { 'grpc-timeout': 'soon' });
  assert.equal((await timedWrongly.end().outcome())['grpc-status'], '13');
  const internal = `grpc_server_handled_total{${live},grpc_code="Internal"}`;
  await until('what the library answers counts as what it is', async () => (await service.samples())[internal] === 1);
  const none = labels('none', 'none');
  assert.equal(samples[`grpc_server_handled_total{${none},grpc_code="Unimplemented"}`], 2);
  assert.equal(samples['grpc_problems_total{code="model-not-found"}'], 1);
  assert.equal(samples['grpc_problems_total{code="malformed-body"}'], 1);
  const seconds = samples[`grpc_server_handling_seconds_sum{${of}}`] ?? NaN;
  assert.ok(seconds >= 0.05, `${seconds} s, in which one waited for its deadline`);
  assert.ok(service.lines.some(({ method, status }) => method === '/nobody/Knows' && status === 'UNIMPLEMENTED'));
});

test('a call is a span of the trace that its metadata names, and of none that is not recorded', async (t) => {
  const service = await observedService(t);
  const metadata = { traceparent: `00-${traceId}-${parentSpanId}-01`, tracestate: 'a=b', 'x-request-id': 'mine' };
  const { initial } = await service.client.ask('ModelInfer', infer, { metadata });
  await until('it is recorded', () => service.spans.length === 1);
  const [span] = service.spans;
  assert.deepEqual(
    [span?.name, span?.context.traceId, span?.parentSpanId, span?.traceState, span?.failed],
    [`${SERVICE}/ModelInfer`, traceId, parentSpanId, 'a=b', false],
  );
  assert.ok((span?.endedMs ?? NaN) > (span?.startedMs ?? NaN));
  assert.equal(initial.get('traceparent')[0], `00-${traceId}-${span?.context.spanId}-01`);
  const { 'atelier.read_ms': read, ...attributes } = span?.attributes ?? {};
  assert.ok(Number(read) >= 0);
  assert.deepEqual(attributes, {
    'rpc.system': 'grpc',
    'rpc.service': SERVICE,
    'rpc.method': 'ModelInfer',
    'rpc.grpc.status_code': 0,
    'atelier.request_id': 'mine',
  });
  const line = service.lines.find(({ requestId }) => requestId === 'mine');
  assert.deepEqual([line?.['traceId'], line?.['spanId']], [traceId, span?.context.spanId]);
  await service.client.call('ModelInfer', infer, { metadata: { traceparent: `00-${traceId}-${parentSpanId}-00` } });
  service.predict = () => Promise.reject(new DomainError('engine-fault', 'Words.'));
  await failureOf(service.client.call('ModelInfer', infer), 'INTERNAL');
  await until('the last is recorded', () => service.spans.length > 1);
  const [, root, ...others] = service.spans;
  assert.deepEqual(others, []);
  assert.deepEqual([root?.parentSpanId, root?.failed], [undefined, true]);
  assert.equal(root?.attributes['error.type'], 'engine-fault');
});

test('the whole service counts its calls, and sends their spans with what they are made of', async (t) => {
  let received = '';
  const collector = createServer((request, response) => {
    void text(request).then((body) => (received += body));
    response.end('{}');
  }).listen(0, '127.0.0.1');
  t.after(() => collector.close());
  await once(collector, 'listening');
  const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
  const { service, client } = await servedOverGrpc(t, { INFERENCE_OTLP_ENDPOINT: endpoint });
  await service.settled;
  await client.call('ModelInfer', { ...infer, model_name: 'fashion-mlp' });
  const name = `grpc_server_handled_total{${labels('ModelInfer')},grpc_code="OK"}`;
  await until('it is counted', async () => {
    return samplesIn(await (await fetch(`${service.url}/metrics`)).text())[name] === 1;
  });
  await service.close(0);
  assert.match(received, new RegExp(`"name":"${SERVICE}/ModelInfer"`));
  assert.match(received, /"rpc\.method"[^]*"atelier\.predict_ms"/);
});
