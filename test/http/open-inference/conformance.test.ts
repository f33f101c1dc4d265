import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { listen } from '@atelier/http';
import { CASES } from '../../../scripts/src/conformance/cases/index.ts';
import type { CaseResult, ConformanceCase } from '../../../scripts/src/conformance/conformance-case.ts';
import { tryCase } from '../../../scripts/src/conformance/run-conformance.ts';
import { meet, type Subject } from '../../../scripts/src/conformance/subject.ts';
import { type InferenceUnderTest, openInference } from '../../support/inference-service.ts';
import { publishTiny } from '../../support/published-version.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let service: InferenceUnderTest;
let server: Awaited<ReturnType<typeof listen>>;
before(async () => {
  folder = await temporaryFolder();
  await publishTiny(folder.path);
  service = await openInference(folder.path);
  server = await listen(service.app, '127.0.0.1', 0);
});
after(async () => {
  await server.close();
  await service.close();
  await folder.remove();
});

describe('over REST the service', () => {
  let subject: Subject;
  before(async () => {
    subject = await meet(server.url, 'fashion-mlp', true);
  });
  after(() => subject.connection.close());

  for (const one of CASES) {
    test(`${one.name} (${one.section})`, async () => {
      assert.deepEqual(await tryCase(one, subject), { name: one.name, section: one.section, outcome: 'passed' });
    });
  }
});

/** An answer of the service, before it goes out. */
interface Passing {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
}

/** Faults of servers that are about, and the cases that must notice each. */
const FAULTS: { fault: string; spoil: (answer: Passing, path: string) => Passing; noticed: string[] }[] = [
  {
    fault: 'errors have no body',
    spoil: (answer) => (answer.status < 400 ? answer : { ...answer, body: Buffer.alloc(0) }),
    noticed: ['refuses an unknown path', 'refuses another method', 'refuses an empty body'],
  },
  {
    fault: 'a bad request is a 422 with a list',
    spoil: (answer) =>
      answer.status === 400 ? { ...answer, status: 422, body: Buffer.from('{"detail":[]}') } : answer,
    noticed: ['refuses a datatype that does not exist'],
  },
  {
    fault: 'the id is dropped',
    spoil: (answer) => ({
      ...answer,
      body: Buffer.from(answer.body.toString('latin1').replace(/"id":"[^,]*",/, ''), 'latin1'),
    }),
    noticed: ['names the model and gives the id back'],
  },
  {
    fault: 'the version is a number',
    spoil: (answer) => ({
      ...answer,
      body: Buffer.from(answer.body.toString('latin1').replace(/"model_version":"1"/, '"model_version":1'), 'latin1'),
    }),
    noticed: ['says which version answered, as a string'],
  },
  {
    fault: 'versions give other numbers',
    spoil: (answer, path) =>
      path.includes('/versions/')
        ? {
            ...answer,
            body: Buffer.from(answer.body.toString('latin1').replace(/"data":\[-?[\d.]+/, '"data":[9'), 'latin1'),
          }
        : answer,
    noticed: ['answers nested tensors, of a version'],
  },
  {
    fault: 'the header with the length of the JSON is missing',
    spoil: (answer) => ({ ...answer, headers: without(answer.headers, 'inference-header-content-length') }),
    noticed: ['answers binary tensors', 'answers a raw request'],
  },
];

/** Cases that none of the faults touches: a suite that fails everything would notice every fault. */
const UNCONCERNED = CASES.filter(({ name }) =>
  ['is live', 'describes its model', 'gives its configuration'].includes(name),
);

describe('the conformance suite', () => {
  test('skips what a server does not advertise', async (t) => {
    const url = await spoiled(t, (answer, path) =>
      path === '/v2' && answer.status === 200
        ? { ...answer, body: Buffer.from('{"name":"n","version":"1","extensions":[]}') }
        : answer,
    );
    const results = await resultsOf(
      url,
      CASES.filter(({ extension }) => extension !== undefined),
    );
    assert.ok(results.length > 40);
    for (const { outcome, reason = '' } of results) {
      assert.equal(outcome, 'skipped');
      assert.match(reason, /^the server does not advertise/);
    }
  });

  for (const { fault, spoil, noticed } of FAULTS) {
    test(`notices when ${fault}`, async (t) => {
      const concerned = CASES.filter(({ name }) => noticed.includes(name));
      assert.equal(concerned.length, noticed.length);
      const results = await resultsOf(await spoiled(t, spoil), [...concerned, ...UNCONCERNED]);
      const failed = results.filter(({ outcome }) => outcome === 'failed').map(({ name }) => name);
      assert.deepEqual(
        failed,
        concerned.map(({ name }) => name),
      );
    });
  }
});

/** A server before ours that changes every answer. */
async function spoiled(
  t: { after(task: () => void): void },
  spoil: (answer: Passing, path: string) => Passing,
): Promise<string> {
  const proxy = createServer((request, response) => void pass(request, response, spoil));
  proxy.listen(0, '127.0.0.1');
  await new Promise((resolve) => proxy.once('listening', resolve));
  t.after(() => {
    proxy.closeAllConnections();
    proxy.close();
  });
  return `http://127.0.0.1:${(proxy.address() as { port: number }).port}`;
}

async function pass(
  request: IncomingMessage,
  response: ServerResponse,
  spoil: (answer: Passing, path: string) => Passing,
): Promise<void> {
  const body = await buffer(request);
  const headers = without(request.headers, 'connection', 'transfer-encoding', 'content-length', 'accept-encoding');
  const method = request.method ?? 'GET';
  const answer = await fetch(`${server.url}${request.url ?? ''}`, {
    method,
    headers: headers as Record<string, string>,
    ...(method === 'GET' ? {} : { body }),
  });
  const received = {
    status: answer.status,
    headers: without(
      Object.fromEntries(answer.headers),
      'connection',
      'keep-alive',
      'content-length',
      'content-encoding',
    ),
    body: Buffer.from(await answer.arrayBuffer()),
  };
  const spoilt = spoil(received, request.url ?? '');
  response.writeHead(spoilt.status, { ...spoilt.headers, 'Content-Length': spoilt.body.length }).end(spoilt.body);
}

async function resultsOf(url: string, cases: readonly ConformanceCase[]): Promise<CaseResult[]> {
  const subject = await meet(url, 'fashion-mlp', false);
  try {
    const results: CaseResult[] = [];
    for (const one of cases) results.push(await tryCase(one, subject));
    return results;
  } finally {
    subject.connection.close();
  }
}

function without<T>(headers: Record<string, T>, ...names: string[]): Record<string, T> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)));
}
