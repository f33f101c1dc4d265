// What `npm run check` and `npm test` are made of.
import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** @typedef {{ title: string, arguments: string[] }} Step Run by this Node in the repository's folder. */

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** @type {Step[]} */
export const staticSteps = [
  {
    title: 'Format (prettier)',
    arguments: ['node_modules/prettier/bin/prettier.cjs', '--check', '--log-level=warn', '.'],
  },
  { title: 'Lint (eslint)', arguments: ['node_modules/eslint/bin/eslint.js', '.'] },
  { title: 'Types (tsc)', arguments: ['node_modules/typescript/bin/tsc', '-p', '.'] },
];

/**
 * The tests in files and folders; its last output is the runner's own summary. Files are listed here because Node 20's
 * runner knows no glob patterns.
 * @param {string[]} places Relative to the repository's folder.
 * @returns {Step}
 */
export function testStep(places) {
  const files = places.flatMap(testFilesIn);
  if (files.length === 0) throw new Error(`No *.test.ts in ${places.join(', ')}.`);
  // One file at a time on two cores would idle while one waits; the files share no port and no folder.
  return { title: 'Tests (node:test)', arguments: ['--import', 'tsx', '--test', '--test-reporter=spec', ...files] };
}

/**
 * Runs the steps in order and ends the process with the first failure's exit code, else with 0.
 * @param {Step[]} steps
 */
export function runSteps(steps) {
  for (const step of steps) {
    process.stdout.write(`\n${step.title}\n`);
    const { status } = spawnSync(process.execPath, step.arguments, { cwd: root, stdio: 'inherit' });
    if (status !== 0) {
      process.stderr.write(`\n${step.title}: failed\n`);
      process.exit(status ?? 1);
    }
  }
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
