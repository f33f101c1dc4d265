// What `npm run check` and `npm test` are made of.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

/** @typedef {{ title: string, arguments: string[] }} Step Run by this Node in the repository's folder. */

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** @type {Step[]} */
const STATIC_STEPS = [
  {
    title: 'Format (prettier)',
    arguments: ['node_modules/prettier/bin/prettier.cjs', '--check', '--log-level=warn', '.'],
  },
  { title: 'Lint (eslint)', arguments: ['node_modules/eslint/bin/eslint.js', '.'] },
  { title: 'Types (tsc)', arguments: ['node_modules/typescript/bin/tsc', '-p', '.'] },
];

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

/**
 * Runs the tests in files and folders, and ends the process with their exit code; the runner's summary is the last output.
 * @param {string[]} places Relative to the repository's folder.
 */
export async function runTests(places) {
  const files = places.flatMap(testFilesIn); // listed here, because Node 20's runner knows no glob patterns
  if (files.length === 0) throw new Error(`No *.test.ts in ${places.join(', ')}.`);
  // Many tests wait for programs that they start. The files share no port and no folder.
  const concurrency = Math.max(3, availableParallelism());
  const options = ['--import', 'tsx', '--test', '--test-reporter=spec', `--test-concurrency=${concurrency}`];
  const child = spawn(process.execPath, [...options, ...files], { cwd: root, stdio: 'inherit' });
  process.exit((await exitCode(child)) ?? 1);
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
