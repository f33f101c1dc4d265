// What `npm run check` and `npm test` are made of.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

/** @typedef {{ title: string, arguments: string[] }} Step Run by this Node in the repository's folder. */

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * What was checked before and has not changed is not checked again; the caches go with `node_modules`, so CI has none and
 * finds what a change of types in one file breaks in the lint of another.
 * @type {Step[]}
 */
const STATIC_STEPS = [
  {
    title: 'Format (prettier)',
    arguments: [
      ...['node_modules/prettier/bin/prettier.cjs', '--check', '--log-level=warn'],
      ...['--cache', '--cache-strategy=content', '.'], // in its own place, node_modules/.cache/prettier
    ],
  },
  {
    title: 'Lint (eslint)',
    arguments: [
      ...['node_modules/eslint/bin/eslint.js', '--cache', '--cache-strategy=content'],
      ...['--cache-location=node_modules/.cache/eslint', '.'],
    ],
  },
  {
    title: 'Types (tsc)',
    arguments: [
      ...['node_modules/typescript/bin/tsc', '-p', '.', '--incremental'],
      ...['--tsBuildInfoFile', 'node_modules/.cache/tsc.tsbuildinfo'],
    ],
  },
];

/** Folders whose test files share a process: starting one costs more than most of them take. */
const SHARED_PROCESS = ['test/unit/', 'test/http/'];

/** Modules that many tests start as programs; `test/support/start-words.ts` finds their bundles. */
const PROGRAMS = ['services/inference/src/main.ts', 'services/trainer/src/main.ts', 'services/trainer/src/worker.ts'];

/** Format, lint and types, at the same time; ends the process when one of them fails. */
export async function checkStatically() {
  const results = await Promise.all(STATIC_STEPS.map(runCaptured));
  for (const { title, code, output } of results) {
    process.stdout.write(`${code === 0 ? '✔' : '✖'} ${title}\n${output}`);
  }
  const failed = results.find(({ code }) => code !== 0);
  if (failed !== undefined) process.exit(failed.code ?? 1);
}

/** Finds Fashion-MNIST or fetches it, and says from where; ends the process when it cannot. */
export async function fetchDataset() {
  const child = spawn(process.execPath, ['scripts/atelier.mjs', 'fetch-dataset'], { cwd: root, stdio: 'inherit' });
  const code = await exitCode(child);
  if (code !== 0) process.exit(code ?? 1);
}

/** Installs what the tests on WebGPU need where it is not there; those tests say what they make of a failure. */
export async function setUpWebgpu() {
  if (existsSync(join(root, 'node_modules', 'webgpu'))) return;
  process.stdout.write('Setting up webgpu (51 MB) for its tests ...\n');
  await exitCode(spawn(process.execPath, ['scripts/atelier.mjs', 'setup', 'webgpu'], { cwd: root, stdio: 'inherit' }));
}

/**
 * Runs the tests in files and folders, and ends the process with their exit code; the runner's summary is the last output.
 * @param {string[]} places Relative to the repository's folder.
 */
export async function runTests(places) {
  const files = places.flatMap(testFilesIn); // listed here, because Node 20's runner knows no glob patterns
  if (files.length === 0) throw new Error(`No *.test.ts in ${places.join(', ')}.`);
  const cache = join(root, 'node_modules', '.cache');
  mkdirSync(cache, { recursive: true });
  removeOldBundles(cache);
  const temporary = mkdtempSync(join(cache, 'tests-'));
  process.once('exit', () => rmSync(temporary, { recursive: true, force: true }));
  process.on('SIGINT', () => undefined); // Ctrl-C ends the tests, and their end ends us
  const { bundleTests } = await import('./bundled-tests.mjs'); // here, because steps begin before anything is installed
  const groups = groupedByFolder(files, temporary);
  const programs = PROGRAMS.map((path) => ({ in: join(root, path), out: bundleName(path) }));
  await bundleTests([...groups, ...programs], temporary);
  const bundles = groups.map(({ out }) => join(temporary, `${out}.mjs`));
  // Many tests wait for programs that they start. The files share no port and no folder.
  const concurrency = Math.max(3, availableParallelism());
  const options = ['--enable-source-maps', '--test', '--test-reporter=spec', `--test-concurrency=${concurrency}`];
  const child = spawn(process.execPath, [...options, ...bundles], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, TEST_BUNDLES: temporary },
  });
  process.on('SIGTERM', () => child.kill('SIGTERM')); // which is sent to us alone, as by a CI that has waited long enough
  process.exit((await exitCode(child)) ?? 1);
}

/** No run takes so long. */
const OLD_MS = 24 * 60 * 60 * 1000;

/**
 * Removes what runs left that were killed.
 * @param {string} cache
 */
function removeOldBundles(cache) {
  for (const path of readdirSync(cache).map((name) => join(cache, name))) {
    const isOld = /[\\/]tests-[^\\/]+$/.test(path) && Date.now() - statSync(path).mtimeMs > OLD_MS;
    if (isOld) rmSync(path, { recursive: true, force: true });
  }
}

/**
 * What the bundle of a module or of a folder's tests is called, without its ending.
 * @param {string} path Relative to the repository's folder.
 */
function bundleName(path) {
  return path.replace(/\.ts$/, '').replaceAll('/', '-');
}

/**
 * The files by what to call their bundle, those of a shared folder replaced by one that imports them.
 * @param {string[]} files
 * @param {string} temporary Where to write such files.
 */
function groupedByFolder(files, temporary) {
  /** @type {Map<string, string[]>} */
  const groups = new Map();
  for (const file of files) {
    const key = SHARED_PROCESS.some((folder) => file.startsWith(folder)) ? dirname(file) : file;
    groups.set(key, [...(groups.get(key) ?? []), file]);
  }
  return [...groups].map(([key, members]) => {
    const name = bundleName(key);
    const [first, ...others] = members.map((file) => join(root, file));
    if (first !== undefined && others.length === 0) return { in: first, out: name };
    const group = join(temporary, `${name}.ts`);
    writeFileSync(group, members.map((file) => `import ${JSON.stringify(join(root, file))};\n`).join(''));
    return { in: group, out: name };
  });
}

/**
 * Null after a signal.
 * @param {import('node:child_process').ChildProcess} child
 * @returns {Promise<number | null>}
 */
async function exitCode(child) {
  await once(child, 'exit');
  return child.exitCode;
}

/** @param {Step} step */
async function runCaptured({ title, arguments: words }) {
  const child = spawn(process.execPath, words, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  const [output, faults, code] = await Promise.all([text(child.stdout), text(child.stderr), exitCode(child)]);
  return { title, code, output: output + faults };
}

/**
 * @param {string} place
 * @returns {string[]}
 */
function testFilesIn(place) {
  if (!statSync(join(root, place)).isDirectory()) return [place];
  return readdirSync(join(root, place), { withFileTypes: true })
    .sort((a, b) => a.name.localeCompare(b.name))
    .flatMap((entry) => {
      if (entry.isDirectory()) return testFilesIn(`${place}/${entry.name}`);
      return entry.name.endsWith('.test.ts') ? [`${place}/${entry.name}`] : [];
    });
}
