import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { type DownloadProgress, loadFashionMnist } from '@atelier/fashion-mnist';
import { drawn, drawnEdition, drawnFiles, emptySearch, sha256, writeFiles, zippedFiles } from './drawn-dataset.ts';

const IMAGES = 'train-images-idx3-ubyte.gz';
const imagesZipped = zippedFiles[IMAGES] ?? Buffer.alloc(0);
const PART = `${IMAGES}.part`;

type Answer = (request: IncomingMessage, response: ServerResponse, file: Buffer, name: string) => void;

/** A publisher on loopback; `requests` lists what was asked for, as `name range`. */
async function serve(context: TestContext, answer: Answer): Promise<{ source: string; requests: string[] }> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const name = request.url?.split('/').at(-1) ?? '';
    requests.push([name, request.headers.range].join(' ').trim());
    answer(request, response, zippedFiles[name] ?? Buffer.alloc(0), name);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { source: `http://127.0.0.1:${(server.address() as AddressInfo).port}/data`, requests };
}

/** What a well-behaved server does, ranges included. */
const wellBehaved: Answer = (request, response, file) => {
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  if (start >= file.length) return void response.writeHead(416, { 'content-range': `bytes */${file.length}` }).end();
  const range = { 'content-range': `bytes ${start}-${file.length - 1}/${file.length}` };
  const headers = { 'content-length': file.length - start, ...(start > 0 && range) };
  response.writeHead(start > 0 ? 206 : 200, headers).end(file.subarray(start));
};

/** As if it knew nothing of ranges. */
const withoutRanges: Answer = (_request, response, file) => {
  response.writeHead(200, { 'content-length': file.length }).end(file);
};

/** Promises the whole file and hangs up in the middle. */
function hangUp(response: ServerResponse, file: Buffer): void {
  response.writeHead(200, { 'content-length': file.length });
  response.write(file.subarray(0, file.length >> 1), () => setTimeout(() => response.destroy(), 20));
}

test('downloads the files, reports progress, and keeps them decompressed in the cache', async (context) => {
  const search = await emptySearch(context);
  const { source, requests } = await serve(context, wellBehaved);
  const progress: DownloadProgress[] = [];
  const dataset = await loadFashionMnist({ ...search, sources: [source], onProgress: (step) => progress.push(step) });
  assert.deepEqual(dataset, { ...drawn, digest: drawnEdition.digest, source });
  assert.deepEqual(requests, Object.keys(zippedFiles));
  for (const [file, { length }] of Object.entries(zippedFiles)) {
    const steps = progress.filter((step) => step.file === file);
    assert.deepEqual(steps[0], { file, receivedBytes: 0, totalBytes: length });
    assert.deepEqual(steps.at(-1), { file, receivedBytes: length, totalBytes: length });
  }
  assert.deepEqual((await readdir(search.cacheDirectory)).sort(), Object.keys(drawnFiles).sort());
  for (const [name, bytes] of Object.entries(drawnFiles)) {
    assert.deepEqual(await readFile(join(search.cacheDirectory, name)), bytes);
  }
});

test('what was downloaded once is not downloaded again', async (context) => {
  const search = await emptySearch(context);
  const { source, requests } = await serve(context, wellBehaved);
  await loadFashionMnist({ ...search, sources: [source] });
  const again = await loadFashionMnist({ ...search, sources: [source] });
  assert.equal(again.source, search.cacheDirectory);
  assert.equal(requests.length, 4);
});

test('a total that the server does not tell is reported as null', async (context) => {
  const search = await emptySearch(context);
  const { source } = await serve(context, (_request, response, file) => {
    response.write(file); // chunked
    response.end();
  });
  const totals = new Set<number | null>();
  await loadFashionMnist({ ...search, sources: [source], onProgress: ({ totalBytes }) => totals.add(totalBytes) });
  assert.deepEqual([...totals], [null]);
});

test('a download that breaks off goes on where it stopped', async (context) => {
  const search = await emptySearch(context);
  const { source, requests } = await serve(context, (request, response, file, name) => {
    if (name === IMAGES && request.headers.range === undefined) hangUp(response, file);
    else wellBehaved(request, response, file, name);
  });
  const received: number[] = [];
  const onProgress = ({ file, receivedBytes }: DownloadProgress) => {
    if (file === IMAGES) received.push(receivedBytes);
  };
  const { train } = await loadFashionMnist({ ...search, sources: [source], onProgress });
  assert.deepEqual(train, drawn.train);
  const half = imagesZipped.length >> 1;
  assert.deepEqual(requests.slice(0, 2), [IMAGES, `${IMAGES} bytes=${half}-`]);
  assert.deepEqual(
    received,
    [...received].sort((a, b) => a - b),
    'progress never goes back',
  );
});

for (const sentBytes of [0, 100]) {
  test(`a download that falls silent after ${sentBytes} bytes is broken off and goes on where it stopped`, async (context) => {
    const search = await emptySearch(context);
    const { source, requests } = await serve(context, (request, response, file, name) => {
      if (requests.length > 1) return wellBehaved(request, response, file, name);
      response.writeHead(200, { 'content-length': file.length }).flushHeaders();
      response.write(file.subarray(0, sentBytes));
    });
    await loadFashionMnist({ ...search, sources: [source], stallTimeoutMs: 100 });
    assert.deepEqual(requests.slice(0, 2), [IMAGES, sentBytes === 0 ? IMAGES : `${IMAGES} bytes=100-`]);
  });
}

for (const [title, answer] of [
  ['goes on with 206', wellBehaved],
  ['starts again where the server answers 200', withoutRanges],
] as const) {
  test(`a download that an earlier call left unfinished ${title}`, async (context) => {
    const search = await emptySearch(context);
    await writeFiles(search.cacheDirectory, { [PART]: imagesZipped.subarray(0, 200) });
    const { source, requests } = await serve(context, answer);
    assert.deepEqual((await loadFashionMnist({ ...search, sources: [source] })).train, drawn.train);
    assert.equal(requests[0], `${IMAGES} bytes=200-`);
    assert.equal(requests.length, 4);
    assert.ok(!(await readdir(search.cacheDirectory)).includes(PART));
  });
}

test('an unfinished download that is in fact complete is taken after the answer 416', async (context) => {
  const search = await emptySearch(context);
  await writeFiles(search.cacheDirectory, { [PART]: imagesZipped });
  const { source, requests } = await serve(context, wellBehaved);
  assert.deepEqual((await loadFashionMnist({ ...search, sources: [source] })).train, drawn.train);
  assert.equal(requests.filter((request) => request.startsWith(IMAGES)).length, 1);
});

for (const [title, part] of [
  ['shorter', Buffer.alloc(50, 7)],
  ['longer', Buffer.alloc(imagesZipped.length + 50, 7)],
] as const) {
  test(`the unfinished download of another, ${title} file is thrown away and the file fetched whole`, async (context) => {
    const search = await emptySearch(context);
    await writeFiles(search.cacheDirectory, { [PART]: part });
    const { source, requests } = await serve(context, wellBehaved);
    assert.deepEqual((await loadFashionMnist({ ...search, sources: [source] })).train, drawn.train);
    assert.deepEqual(requests.slice(0, 2), [`${IMAGES} bytes=${part.length}-`, IMAGES]);
  });
}

test('an unfinished download that is longer than what the server sends from the start leaves nothing of itself', async (context) => {
  const search = await emptySearch(context);
  await writeFiles(search.cacheDirectory, { [PART]: Buffer.alloc(imagesZipped.length + 50, 7) });
  const { source, requests } = await serve(context, withoutRanges);
  assert.deepEqual((await loadFashionMnist({ ...search, sources: [source] })).train, drawn.train);
  assert.equal(requests.length, 4);
});

test('a source that keeps breaking off is given up after five requests', async (context) => {
  const search = await emptySearch(context);
  const { source, requests } = await serve(context, (_request, response, file) => {
    hangUp(response, file);
  });
  await assert.rejects(loadFashionMnist({ ...search, sources: [source] }), {
    code: 'dataset-not-found',
    message: new RegExp(`${source}/${IMAGES} broke off 5 times, at last by: `),
  });
  assert.equal(requests.length, 5);
});

test('a file with another digest is refused with its address, expected and found, and is not kept', async (context) => {
  const search = await emptySearch(context);
  const page = Buffer.from('<html>Please log in to this hotel</html>');
  const { source, requests } = await serve(context, (_request, response) => response.end(page));
  await assert.rejects(loadFashionMnist({ ...search, sources: [source] }), {
    code: 'dataset-not-found',
    message: new RegExp(
      `${source}/${IMAGES}: expected 23536 bytes with SHA-256 ${drawnEdition.trainImages.sha256} after decompression, ` +
        `found 40 bytes with SHA-256 ${sha256(page)}\\.`,
    ),
  });
  assert.equal(requests.length, 1);
  assert.deepEqual(await readdir(search.cacheDirectory), []);
});

test('a body without end is refused instead of filling the disk', async (context) => {
  const search = await emptySearch(context);
  const { source } = await serve(context, (_request, response) => {
    const more = () => {
      while (!response.destroyed && response.write(Buffer.alloc(65_536)));
    };
    response.on('drain', more);
    more();
  });
  await assert.rejects(loadFashionMnist({ ...search, sources: [source] }), /expected at most 89072 bytes, found more/);
});

test('after a 404 the next source is asked, and only for what the first did not have', async (context) => {
  const search = await emptySearch(context);
  const publisher = await serve(context, (request, response, file, name) => {
    if (name === IMAGES) wellBehaved(request, response, file, name);
    else response.writeHead(404).end('no such key');
  });
  const copy = await serve(context, wellBehaved);
  const dataset = await loadFashionMnist({ ...search, sources: [publisher.source, copy.source] });
  assert.deepEqual(dataset, { ...drawn, digest: drawnEdition.digest, source: copy.source });
  assert.ok(!copy.requests.includes(IMAGES), copy.requests.join());
  assert.equal(search.notices.length, 1);
  assert.match(search.notices[0] ?? '', /train-labels-idx1-ubyte\.gz: expected HTTP 200, found HTTP 404\.$/);
});

test('a corrupt file in the cache is named, fetched and replaced, and the good ones are left alone', async (context) => {
  const search = await emptySearch(context);
  const broken = imagesZipped.subarray(0, 300);
  await writeFiles(search.cacheDirectory, { ...zippedFiles, [IMAGES]: broken });
  const { source, requests } = await serve(context, wellBehaved);
  assert.deepEqual((await loadFashionMnist({ ...search, sources: [source] })).train, drawn.train);
  assert.deepEqual(requests, [IMAGES]);
  assert.ok(!(await readdir(search.cacheDirectory)).includes(IMAGES), 'the corrupt one is gone');
  assert.ok(search.notices[0]?.includes(join(search.cacheDirectory, IMAGES)), search.notices[0]);
  const again = await loadFashionMnist(search);
  assert.equal(again.source, search.cacheDirectory);
  assert.equal(search.notices.length, 1);
});

test('a source that accepts the connection and never answers is passed over in time', async (context) => {
  const search = await emptySearch(context);
  const silent = await serve(context, () => undefined);
  const copy = await serve(context, wellBehaved);
  const started = performance.now();
  const dataset = await loadFashionMnist({
    ...search,
    sources: [silent.source, copy.source],
    connectionTimeoutMs: 150,
  });
  assert.equal(dataset.source, copy.source);
  assert.ok(performance.now() - started < 5_000);
  assert.match(search.notices[0] ?? '', /cannot be reached: no answer within 150 ms/);
});

test('two loads at once into one empty cache both succeed', async (context) => {
  const search = await emptySearch(context);
  const { source } = await serve(context, wellBehaved);
  const load = () => loadFashionMnist({ ...search, sources: [source] });
  const [first, second] = await Promise.all([load(), load()]);
  assert.deepEqual(first.train, drawn.train);
  assert.deepEqual(second.train, drawn.train);
});

test('an abort during the download ends the load with its reason, and the next load resumes', async (context) => {
  const search = await emptySearch(context);
  let isSlow = true;
  const { source, requests } = await serve(context, (request, response, file, name) => {
    if (!isSlow) return wellBehaved(request, response, file, name);
    response.writeHead(200, { 'content-length': file.length });
    response.write(file.subarray(0, 100));
  });
  const controller = new AbortController();
  const reason = new Error('Ctrl-C');
  const onProgress = ({ receivedBytes }: DownloadProgress) => {
    if (receivedBytes > 0) controller.abort(reason);
  };
  await assert.rejects(
    loadFashionMnist({ ...search, sources: [source], signal: controller.signal, onProgress }),
    reason,
  );
  isSlow = false;
  await loadFashionMnist({ ...search, sources: [source] });
  assert.deepEqual(requests.slice(0, 2), [IMAGES, `${IMAGES} bytes=100-`]);
});
