import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readdir, realpath, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { compiledEntries, type Entries } from '@atelier/compiled-entries';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { until } from '../../support/until.ts';

const ENTRY = `
import { beside } from './beside.ts';
const later = await import('./later.ts');
const outside = await import('outside');
const name: string = 'outside';
// @ts-expect-error it is not installed
const missing: string = await import('missing').catch(() => 'not installed');
console.log(JSON.stringify([beside(), later.word, outside.word, (await import(name)).word, missing]));
`;

describe('compiled entries', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let root: string;
  let count = 0;
  /** Asked for by a module of the service; each under a label of its own, because a process asks once. */
  const entries = (label = `test-${++count}`): Entries<'entry'> => ({
    label,
    beside: pathToFileURL(join(root, 'services/one/src/asks.ts')).href,
    names: ['entry'],
    external: /^(outside|missing)$/,
  });
  const write = async (path: string, text: string) => {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  };
  const cached = () => readdir(join(root, 'node_modules/.cache/atelier'));
  async function printed(path: string): Promise<unknown> {
    return JSON.parse((await promisify(execFile)(process.execPath, [path])).stdout);
  }

  beforeEach(async () => {
    folder = await temporaryFolder();
    root = await realpath(folder.path);
    await write('package-lock.json', '{}');
    await write('packages/other/src/word.ts', "export const word: string = 'later';\n");
    await write('services/one/src/entry.ts', ENTRY);
    await write('services/one/src/later.ts', "export { word } from '../../../packages/other/src/word.ts';\n");
    await write('services/one/src/text.txt', 'text');
    await write(
      'services/one/src/beside.ts',
      "import { readFileSync } from 'node:fs';\n" +
        "export const beside = () => readFileSync(new URL('./text.txt', import.meta.url), 'utf8');\n",
    );
    await mkdir(join(root, 'node_modules/@atelier'), { recursive: true });
    await write(
      'node_modules/outside/package.json',
      '{ "name": "outside", "type": "module", "exports": "./index.js" }',
    );
    await write('node_modules/outside/index.js', "export const word = 'outside';\n");
  });
  afterEach(() => folder.remove());

  test('run as JavaScript, find the files beside their source, and packages that are installed', async () => {
    const { entry } = await compiledEntries(entries());
    assert.match(entry, /entry\.mjs$/);
    assert.ok(entry.startsWith(join(root, 'node_modules/.cache/atelier')));
    assert.deepEqual(await printed(entry), ['text', 'later', 'outside', 'outside', 'not installed']);
  });

  test('are bundled anew when a module has changed that may be in them, and under one label once a process', async () => {
    const same = entries();
    const { entry: before } = await compiledEntries(same);
    await write('packages/other/src/word.ts', "export const word: string = 'edited';\n");
    assert.equal((await compiledEntries(same)).entry, before);
    const { entry: after } = await compiledEntries(entries());
    assert.equal(((await printed(before)) as string[])[1], 'later');
    assert.equal(((await printed(after)) as string[])[1], 'edited');
    assert.equal((await cached()).length, 2);
  });

  test('go where none was started for a week: of the same kind, once there are new ones', async () => {
    const folder = join(root, 'node_modules/.cache/atelier');
    const ago = (days: number) => new Date(Date.now() - days * 24 * 60 * 60 * 1000);
    for (const [name, days] of Object.entries({
      'kind-old': 8,
      '.kind-old-unfinished': 8,
      'kind-new': 6,
      'other-old': 8,
    })) {
      await mkdir(join(folder, name), { recursive: true });
      await utimes(join(folder, name), ago(days), ago(days));
    }
    const { entry } = await compiledEntries(entries('kind'));
    assert.deepEqual((await cached()).sort(), [basename(dirname(entry)), 'kind-new', 'other-old'].sort());
  });

  test('stay while a process runs that was started with them, however long that is', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    const place = dirname((await compiledEntries(entries('running'))).entry);
    const long = new Date(Date.now() - 8 * 24 * 60 * 60 * 1000);
    await utimes(place, long, long);
    t.mock.timers.tick(24 * 60 * 60 * 1000);
    await until('they are in use', async () => (await stat(place)).mtimeMs > long.getTime() + 1000);
  });

  test('of two kinds at the same time are both there', async () => {
    const [first, second] = await Promise.all([compiledEntries(entries()), compiledEntries(entries())]);
    assert.notEqual(first.entry, second.entry);
    for (const { entry } of [first, second]) assert.equal(((await printed(entry)) as string[])[0], 'text');
  });

  test('lie in a new folder for temporary files where the cache cannot be written', async () => {
    await write('node_modules/.cache', 'no folder');
    const { entry } = await compiledEntries(entries());
    assert.ok(entry.startsWith(tmpdir()) && !entry.startsWith(root));
    assert.deepEqual(await printed(entry), ['text', 'later', 'outside', 'outside', 'not installed']);
  });

  test('lie in one folder by their whole names where they are of several', async () => {
    await write('services/one/src/below/entry.ts', "console.log(JSON.stringify('below'));\n");
    await write('packages/other/src/entry.ts', "console.log(JSON.stringify('elsewhere'));\n");
    const names = ['entry', 'below/entry', '../../../packages/other/src/entry'] as const;
    const paths = await compiledEntries({ ...entries(), names });
    assert.equal(((await printed(paths.entry)) as string[])[1], 'later');
    assert.equal(await printed(paths['below/entry']), 'below');
    assert.equal(await printed(paths['../../../packages/other/src/entry']), 'elsewhere');
  });

  test('leave nothing beside those that another process placed first', async () => {
    const { entry } = await compiledEntries(entries());
    const hash = basename(dirname(entry)).replace(/^.*-/, '');
    const second = compiledEntries(entries('raced'));
    await write(`node_modules/.cache/atelier/raced-${hash}/entry.mjs`, 'console.log(\'"the first"\');\n');
    assert.equal(await printed((await second).entry), 'the first');
    assert.deepEqual((await cached()).sort(), [basename(dirname(entry)), `raced-${hash}`].sort());
  });

  test('are bundled anew when generated JavaScript has changed', async () => {
    await write('packages/other/src/generated/made.js', 'export {};\n');
    const { entry: before } = await compiledEntries(entries('made'));
    await write('packages/other/src/generated/made.js', 'export const word = 1;\n');
    const { entry: after } = await compiledEntries(entries('made-too'));
    assert.notEqual(/[^-]+$/.exec(dirname(before))?.[0], /[^-]+$/.exec(dirname(after))?.[0]);
  });

  test('are bundled anew when the command line has changed', async () => {
    await write('scripts/src/main.ts', 'export {};\n');
    const { entry: before } = await compiledEntries(entries('same'));
    await write('scripts/src/main.ts', 'export const word = 1;\n');
    const { entry: after } = await compiledEntries(entries('same-too'));
    assert.notEqual(/(?<=-)[^-]+$/.exec(dirname(before))?.[0], /(?<=-)[^-]+$/.exec(dirname(after))?.[0]);
  });

  test('of compiled code lie beside it', async () => {
    const { entry } = await compiledEntries({ ...entries(), beside: 'file:///somewhere/compiled.mjs' });
    assert.equal(entry, join('/somewhere', 'entry.mjs'));
  });
});
