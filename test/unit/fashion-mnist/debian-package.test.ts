import assert from 'node:assert/strict';
import { chmod, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { type DebianTools, loadFashionMnist } from '@atelier/fashion-mnist';
import {
  drawn,
  drawnEdition,
  drawnFiles,
  emptySearch,
  temporaryFolder,
  writeFiles,
  zippedFiles,
} from './drawn-dataset.ts';

/** Programs that say in `calls` how they were called and then do what the scripts tell; `$FILES` are the four files. */
async function standIns(
  context: TestContext,
  scripts: { update?: string; download?: string; unpack?: string },
): Promise<DebianTools & { calls: () => Promise<string[]> }> {
  const home = await temporaryFolder(context);
  const [aptGet, dpkgDeb, calls, files] = ['apt-get', 'dpkg-deb', 'calls', 'files'].map((name) => join(home, name));
  assert.ok(aptGet !== undefined && dpkgDeb !== undefined && calls !== undefined && files !== undefined);
  await writeFiles(files, zippedFiles);
  const start = (name: string) => `#!/bin/sh\nFILES='${files}'\necho "${name} $*" >> '${calls}'\n`;
  const { update = '', download = 'touch dataset-fashion-mnist_1_all.deb' } = scripts;
  const { unpack = 'mkdir -p "$3/usr/share/datasets" && cp -r "$FILES" "$3/usr/share/datasets/fashion-mnist"' } =
    scripts;
  const apt = `case "$*" in\n*' update') ${update}\n;;\n*' download dataset-fashion-mnist') ${download}\n;;\nesac\n`;
  await writeFile(aptGet, start('apt-get') + apt);
  await writeFile(dpkgDeb, start('dpkg-deb') + unpack);
  for (const program of [aptGet, dpkgDeb]) await chmod(program, 0o755);
  return { aptGet, dpkgDeb, calls: async () => (await readFile(calls, 'utf8')).trim().split('\n') };
}

test('downloads the Debian package with private lists, unpacks it and keeps the files decompressed', async (context) => {
  const search = await emptySearch(context);
  const { calls, ...debianTools } = await standIns(context, {});
  const dataset = await loadFashionMnist({ ...search, debianTools });
  const source = 'Debian package dataset-fashion-mnist';
  assert.deepEqual(dataset, { ...drawn, digest: drawnEdition.digest, source });
  assert.deepEqual((await readdir(search.cacheDirectory)).sort(), Object.keys(drawnFiles).sort());

  const [update, download, unpack, ...further] = await calls();
  for (const call of [update, download]) assert.match(call ?? '', /-o Dir::State::Lists=\S+ -o Dir::Cache=\S+ /);
  assert.match(unpack ?? '', /^dpkg-deb -x dataset-fashion-mnist_1_all\.deb /);
  assert.deepEqual(further, []);
});

test('leaves no temporary folder behind, whether the package came or not', async (context) => {
  const search = await emptySearch(context);
  const folders = [];
  for (const download of [undefined, 'exit 100']) {
    const { calls, ...debianTools } = await standIns(context, download === undefined ? {} : { download });
    await loadFashionMnist({ ...search, cacheDirectory: join(search.cacheDirectory, 'a'), debianTools }).catch(
      () => null,
    );
    folders.push(/Dir::State::Lists=(\S+)/.exec((await calls())[0] ?? '')?.[1] ?? assert.fail('no call'));
    await writeFiles(join(search.cacheDirectory, 'a'), { 'train-labels-idx1-ubyte': Buffer.alloc(0) });
  }
  for (const folder of folders) await assert.rejects(readdir(folder), { code: 'ENOENT' });
});

test('a failing update alone does no harm: the lists may be good enough', async (context) => {
  const search = await emptySearch(context);
  const debianTools = await standIns(context, { update: 'echo "E: some other source is broken" >&2; exit 100' });
  assert.deepEqual((await loadFashionMnist({ ...search, debianTools })).train, drawn.train);
});

const faults: [title: string, scripts: Parameters<typeof standIns>[1], message: RegExp][] = [
  [
    'the package is unknown',
    { download: 'echo "W: chatter" >&2; echo "E: Unable to locate package dataset-fashion-mnist" >&2; exit 100' },
    /- Debian package dataset-fashion-mnist: \S+apt-get: E: Unable to locate package dataset-fashion-mnist\n/,
  ],
  [
    'update and download fail',
    { update: 'echo "E: no network" >&2; exit 100', download: 'echo "E: no package" >&2; exit 100' },
    /: \S+apt-get: E: no network; \S+apt-get: E: no package\n/,
  ],
  ['the download leaves nothing', { download: 'true' }, /apt-get download dataset-fashion-mnist left no \.deb file/],
  [
    'unpacking fails',
    { unpack: 'echo "dpkg-deb: error: no space left" >&2; exit 2' },
    /dpkg-deb: error: no space left\n/,
  ],
  ['the package lacks the files', { unpack: 'true' }, /Debian package .* lacks train-images-idx3-ubyte/],
  [
    'the package has other files',
    {
      unpack:
        'D="$3/usr/share/datasets/fashion-mnist"; mkdir -p "$D"; cp "$FILES"/* "$D"; echo x > "$D/t10k-labels-idx1-ubyte"',
    },
    /Debian package .*t10k-labels-idx1-ubyte: expected 18 bytes with SHA-256/,
  ],
];
for (const [title, scripts, message] of faults) {
  test(`where ${title}, dataset-not-found says so and the cache stays empty`, async (context) => {
    const search = await emptySearch(context);
    const debianTools = await standIns(context, scripts);
    await assert.rejects(loadFashionMnist({ ...search, debianTools }), { code: 'dataset-not-found', message });
    await assert.rejects(readdir(search.cacheDirectory), { code: 'ENOENT' });
  });
}

test('an abort ends the program that runs and rejects with its reason', async (context) => {
  const search = await emptySearch(context);
  const controller = new AbortController();
  const reason = new Error('Ctrl-C');
  const debianTools = await standIns(context, { update: 'exec sleep 60' });
  const loading = loadFashionMnist({ ...search, debianTools, signal: controller.signal });
  setTimeout(() => {
    controller.abort(reason);
  }, 200);
  const started = performance.now();
  await assert.rejects(loading, reason);
  assert.ok(performance.now() - started < 10_000);
});
