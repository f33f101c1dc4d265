import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { describe, test, type TestContext } from 'node:test';
import type { FinishedSpan } from '@atelier/http';
import { OtlpExporter, readConfig, startInference } from '@atelier/inference';
import { publishTiny, randomImage } from '../support/published-version.ts';
import { recordedLog } from '../support/recorded-log.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** As much of an `ExportTraceServiceRequest` as is looked at. */
interface Exported {
  resourceSpans: { resource: { attributes: unknown[] }; scopeSpans: { spans: ExportedSpan[] }[] }[];
}
interface ExportedSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind: number;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes: { key: string; value: Record<string, unknown> }[];
  status: { code?: number };
}

/** A collector that answers `status`, or nothing at all, and keeps what it got. */
async function openCollector(t: TestContext, status: number | null = 200) {
  const received: { path: string | undefined; body: Exported }[] = [];
  const server = createServer((request, response) => {
    void json(request).then((body) => {
      received.push({ path: request.url, body: body as Exported });
      if (status !== null) response.writeHead(status).end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  const spans = () =>
    received.flatMap(({ body }) => body.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((s) => s.spans)));
  return { endpoint: `http://127.0.0.1:${address.port}`, received, spans };
}

const span: FinishedSpan = {
  context: { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), sampled: true },
  parentSpanId: undefined,
  traceState: undefined,
  name: 'POST /predict',
  startedMs: 1_700_000_000_000.25,
  endedMs: 1_700_000_000_001.5,
  attributes: { rows: 3, share: 0.5, text: 'x' },
  failed: true,
};
const service = { name: 'test', version: '1.2.3' };

test('a service that exports traces sends a span of each request that belongs to a recorded trace', async (t) => {
  const folder = await temporaryFolder();
  t.after(() => folder.remove());
  await publishTiny(folder.path);
  const collector = await openCollector(t);
  const variables = { MODELS_DIR: folder.path, INFERENCE_PORT: '0', INFERENCE_OTLP_ENDPOINT: `${collector.endpoint}/` };
  const inference = await startInference(readConfig(variables), recordedLog().log);
  await inference.settled;
  const body = JSON.stringify({ pixels: [[...randomImage(1)]] });
  const predict = async (headers: Record<string, string>) => {
    const type = { 'Content-Type': 'application/json' };
    const response = await fetch(`${inference.url}/predict`, {
      method: 'POST',
      body,
      headers: { ...type, ...headers },
    });
    await response.arrayBuffer();
    return response.headers.get('traceparent')?.split('-') ?? [];
  };
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
  const [, child, childSpan] = await predict({
    traceparent: `00-${traceId}-00f067aa0ba902b7-01`,
    'X-Request-Id': 'mine',
  });
  const [, root] = await predict({});
  await predict({ traceparent: `00-${'9'.repeat(32)}-00f067aa0ba902b7-00` });
  await inference.close(0);
  assert.equal(collector.received[0]?.path, '/v1/traces');
  const [first, second, ...others] = collector.spans();
  assert.deepEqual(others, [], 'what is not recorded elsewhere is not here');
  assert.deepEqual([first?.traceId, first?.parentSpanId, first?.spanId], [traceId, '00f067aa0ba902b7', childSpan]);
  assert.equal(child, traceId);
  assert.deepEqual([second?.traceId, second?.parentSpanId], [root, undefined]);
  assert.equal(first?.name, 'POST /predict');
  assert.ok(BigInt(first.endTimeUnixNano) > BigInt(first.startTimeUnixNano));
  const attributes = Object.fromEntries(first.attributes.map(({ key, value }) => [key, value]));
  assert.deepEqual(attributes['http.response.status_code'], { intValue: '200' });
  assert.deepEqual(attributes['atelier.request_id'], { stringValue: 'mine' });
  for (const part of ['read_ms', 'predict_ms']) assert.ok(attributes[`atelier.${part}`] !== undefined, part);
});

describe('an exporter of traces', () => {
  test('writes spans as OTLP has them in JSON', async (t) => {
    const collector = await openCollector(t);
    const exporter = new OtlpExporter({ endpoint: collector.endpoint, service, log: recordedLog().log });
    exporter.record(span);
    await exporter.close();
    assert.deepEqual(collector.spans(), [
      {
        traceId: 'a'.repeat(32),
        spanId: 'b'.repeat(16),
        name: 'POST /predict',
        kind: 2,
        startTimeUnixNano: '1700000000000250000',
        endTimeUnixNano: '1700000000001500000',
        attributes: [
          { key: 'rows', value: { intValue: '3' } },
          { key: 'share', value: { doubleValue: 0.5 } },
          { key: 'text', value: { stringValue: 'x' } },
        ],
        status: { code: 2 },
      },
    ]);
    assert.deepEqual(collector.received[0]?.body.resourceSpans[0]?.resource.attributes[0], {
      key: 'service.name',
      value: { stringValue: 'test' },
    });
  });

  test('sends many at a time, all of them, and does not wait for a closing service', async (t) => {
    const collector = await openCollector(t);
    const exporter = new OtlpExporter({ endpoint: collector.endpoint, service, log: recordedLog().log });
    for (let index = 0; index < 3000; index++) exporter.record(span);
    await exporter.close();
    assert.deepEqual(exporter.counts, { exported: 3000, dropped: 0 });
    assert.equal(collector.spans().length, 3000);
    assert.ok(collector.received.length <= 6, `${collector.received.length} requests`);
  });

  test('drops and counts what a collector does not take, says so once, and loses no later ones', async (t) => {
    const refusing = await openCollector(t, 503);
    const { log, lines } = recordedLog();
    const exporter = new OtlpExporter({ endpoint: refusing.endpoint, service, log, intervalMs: 1 });
    for (let index = 0; index < 1000; index++) exporter.record(span);
    await exporter.close();
    assert.deepEqual(exporter.counts, { exported: 0, dropped: 1000 });
    assert.equal(lines.filter(({ level }) => level >= 40).length, 1);
  });

  test('keeps a bounded number of spans while a collector says nothing, and closes all the same', async (t) => {
    const silent = await openCollector(t, null);
    const { log } = recordedLog();
    const exporter = new OtlpExporter({ endpoint: silent.endpoint, service, log, timeoutMs: 200 });
    for (let index = 0; index < 10_000; index++) exporter.record(span);
    assert.ok(exporter.counts.dropped >= 10_000 - 4096 - 512);
    await exporter.close();
    assert.deepEqual(exporter.counts, { exported: 0, dropped: 10_000 });
  });
});
