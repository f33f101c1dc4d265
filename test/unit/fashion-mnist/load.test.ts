import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { loadFashionMnist } from '@atelier/fashion-mnist';
import { drawn, drawnEdition, drawnFiles, emptySearch, sha256, writeFiles, zippedFiles } from './drawn-dataset.ts';

const LABELS = 'train-labels-idx1-ubyte';
const damagedLabels = Buffer.from(drawnFiles[LABELS] ?? []).fill(3, 20);

for (const [form, files] of [
  ['plain', drawnFiles],
  ['gzip', zippedFiles],
] as const) {
  test(`reads the four ${form} files of the explicit directory`, async (context) => {
    const search = await emptySearch(context);
    await writeFiles(search.systemDirectory, files);
    const dataset = await loadFashionMnist({ ...search, directory: search.systemDirectory });
    assert.deepEqual(dataset, { ...drawn, digest: drawnEdition.digest, source: search.systemDirectory });
  });
}

test('an explicit directory without the files is dataset-not-found even when another place has them', async (context) => {
  const search = await emptySearch(context);
  await writeFiles(search.cacheDirectory, drawnFiles);
  const directory = join(search.cacheDirectory, 'elsewhere');
  await assert.rejects(loadFashionMnist({ ...search, directory }), {
    code: 'dataset-not-found',
    message: `${directory} lacks ${Object.keys(drawnFiles).join(', ')} (plain or .gz).`,
  });
});

test('a file with another digest in the explicit directory is dataset-corrupt with file, expected and found', async (context) => {
  const search = await emptySearch(context);
  await writeFiles(search.cacheDirectory, drawnFiles);
  const directory = search.systemDirectory;
  await writeFiles(directory, { ...drawnFiles, [LABELS]: damagedLabels });
  await assert.rejects(loadFashionMnist({ ...search, directory }), {
    code: 'dataset-corrupt',
    message:
      `${join(directory, LABELS)}: expected 38 bytes with SHA-256 ${drawnEdition.trainLabels.sha256} after ` +
      `decompression, found 38 bytes with SHA-256 ${sha256(damagedLabels)}.`,
  });
});

const labelsZipped = zippedFiles[`${LABELS}.gz`] ?? Buffer.alloc(0);
for (const [title, stored] of [
  ['breaks off', labelsZipped.subarray(0, -9)],
  ['is damaged in the middle', Buffer.from(labelsZipped).fill(0xff, 12, 20)],
  ['decompresses to far more than the file has', gzipSync(Buffer.alloc(10_000_000))],
] as const) {
  test(`a .gz that ${title} is dataset-corrupt`, async (context) => {
    const search = await emptySearch(context);
    const directory = search.systemDirectory;
    await writeFiles(directory, { ...zippedFiles, [`${LABELS}.gz`]: stored });
    await assert.rejects(loadFashionMnist({ ...search, directory }), {
      code: 'dataset-corrupt',
      message:
        /train-labels-idx1-ubyte\.gz: expected 38 bytes .* found \d+ bytes of gzip that do not decompress to it: /,
    });
  });
}

test('every corrupt file is named, not only the first', async (context) => {
  const search = await emptySearch(context);
  const directory = search.systemDirectory;
  const empty = Object.fromEntries(Object.keys(drawnFiles).map((name) => [name, Buffer.alloc(0)]));
  await writeFiles(directory, empty);
  await assert.rejects(loadFashionMnist({ ...search, directory }), (error: Error) =>
    Object.keys(drawnFiles).every((name) => error.message.includes(name)),
  );
});

test('a file that cannot be read is dataset-not-found with the reason', async (context) => {
  const search = await emptySearch(context);
  const directory = search.systemDirectory;
  await writeFiles(directory, drawnFiles);
  await writeFiles(join(directory, 'loop'), {});
  await symlink('itself', join(directory, 'loop', 'itself'));
  await assert.rejects(loadFashionMnist({ ...search, directory: join(directory, 'loop', 'itself') }), {
    code: 'dataset-not-found',
    message: /cannot be read: ELOOP/,
  });
});

test('files that are the expected bytes but no IDX files are malformed-idx', async (context) => {
  const search = await emptySearch(context);
  const text = Buffer.from('no labels at all');
  const edition = {
    ...drawnEdition,
    trainLabels: { name: LABELS, sizeBytes: text.length, sha256: sha256(text) },
  };
  await writeFiles(search.systemDirectory, { ...drawnFiles, [LABELS]: text });
  await assert.rejects(loadFashionMnist({ ...search, edition, directory: search.systemDirectory }), {
    code: 'malformed-idx',
    message: /^train-labels-idx1-ubyte: magic number/,
  });
});

test('the cache comes before the system folder', async (context) => {
  const search = await emptySearch(context);
  await writeFiles(search.cacheDirectory, zippedFiles);
  await writeFiles(search.systemDirectory, drawnFiles);
  assert.equal((await loadFashionMnist(search)).source, search.cacheDirectory);
});

test('with an empty cache the system folder is read, without a notice and without a copy', async (context) => {
  const search = await emptySearch(context);
  await writeFiles(search.systemDirectory, zippedFiles);
  const { train, test: tested, source } = await loadFashionMnist(search);
  assert.deepEqual({ train, test: tested }, drawn);
  assert.equal(source, search.systemDirectory);
  assert.deepEqual(search.notices, []);
  await assert.rejects(readdir(search.cacheDirectory), { code: 'ENOENT' });
});

test('a corrupt file in the cache is named in a notice and the search goes on', async (context) => {
  const search = await emptySearch(context);
  await writeFiles(search.cacheDirectory, { ...drawnFiles, [LABELS]: damagedLabels });
  await writeFiles(search.systemDirectory, zippedFiles);
  assert.equal((await loadFashionMnist(search)).source, search.systemDirectory);
  const [notice = '', ...others] = search.notices;
  assert.ok(notice.includes(join(search.cacheDirectory, LABELS)), notice);
  assert.ok(notice.includes(sha256(damagedLabels)), notice);
  assert.deepEqual(others, []);
  assert.deepEqual(await readFile(join(search.cacheDirectory, LABELS)), damagedLabels, 'a search does not delete');
});

test('a file in the cache that cannot be read is named in a notice, and the search goes on', async (context) => {
  const search = await emptySearch(context);
  await writeFiles(search.cacheDirectory, drawnFiles);
  await rm(join(search.cacheDirectory, LABELS));
  await mkdir(join(search.cacheDirectory, LABELS));
  await writeFiles(search.systemDirectory, drawnFiles);
  assert.equal((await loadFashionMnist(search)).source, search.systemDirectory);
  assert.match(search.notices.join(), /train-labels-idx1-ubyte cannot be read: EISDIR/);
});

test('when nothing works, dataset-not-found lists every place with its reason and what to do', async (context) => {
  const search = await emptySearch(context);
  await writeFiles(search.systemDirectory, { ...drawnFiles, [LABELS]: damagedLabels });
  const sources = ['http://127.0.0.1:9', 'http://127.0.0.1:9/copy'];
  const debianTools = { aptGet: '/nonexistent/apt-get', dpkgDeb: '/nonexistent/dpkg-deb' };
  await assert.rejects(loadFashionMnist({ ...search, sources, debianTools }), (error: Error & { code: string }) => {
    const [title, cache, system, publisher, copy, debian, ...advice] = error.message.split('\n');
    assert.equal(error.code, 'dataset-not-found');
    assert.equal(title, 'Fashion-MNIST was found in none of these places:');
    assert.match(cache ?? '', /cache lacks train-images-idx3-ubyte, /);
    assert.match(system ?? '', /system\/train-labels-idx1-ubyte: expected 38 bytes/);
    assert.match(publisher ?? '', /^- http:\/\/127\.0\.0\.1:9\/train-images-idx3-ubyte\.gz cannot be reached: /);
    assert.match(copy ?? '', /^- http:\/\/127\.0\.0\.1:9\/copy\/train-images-idx3-ubyte\.gz cannot be reached: /);
    assert.equal(debian, '- Debian package dataset-fashion-mnist: /nonexistent/apt-get is not on this machine.');
    assert.match(advice.join(' '), /put train-images.* into .*cache,.* FASHION_MNIST_DIR.* dataset-fashion-mnist/);
    return true;
  });
});

test('a signal that is aborted before the start rejects with its reason', async (context) => {
  const search = await emptySearch(context);
  await writeFiles(search.cacheDirectory, drawnFiles);
  const reason = new Error('enough');
  await assert.rejects(loadFashionMnist({ ...search, signal: AbortSignal.abort(reason) }), reason);
});
