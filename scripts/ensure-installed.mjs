// Runs before anything is installed, so plain JavaScript with Node's own modules only.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** @typedef {{ version?: string, integrity?: string, optional?: boolean, link?: boolean, devOptional?: boolean }} Entry */

const OLDEST_NODE = [20, 19];

/**
 * Installs by `npm ci` when `node_modules` does not match `package-lock.json`, and ends the process with a clear line
 * when that fails or Node is too old. Writes to standard error only, so that a command's output stays its own.
 * @param {string} root The repository's folder.
 */
export function ensureInstalled(root) {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const [oldestMajor = 0, oldestMinor = 0] = OLDEST_NODE;
  if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor)) {
    fail(`Atelier needs Node ${OLDEST_NODE.join('.')} or newer; this is ${process.versions.node}.`);
  }
  const difference = firstDifference(root);
  if (difference === undefined) return;
  process.stderr.write(`Installing what package-lock.json lists (${difference}) ...\n`);
  const npm = npmCommand();
  // Development packages run everything here, so they come whatever NODE_ENV or an `omit` setting says.
  const result = spawnSync(npm.command, [...npm.arguments, 'ci', '--include=dev', '--no-audit', '--no-fund'], {
    cwd: root,
    shell: npm.shell,
    // npm's own report goes to standard error.
    stdio: ['ignore', 2, 2],
    // The npm that runs us may have been told to be silent; what this one has to say matters.
    env: { ...process.env, npm_config_loglevel: 'warn' },
  });
  if (result.status !== 0) fail('npm ci failed; its message is above. Is a package registry in reach?');
}

/**
 * The first thing that the lockfile lists and `node_modules` lacks, or undefined when all is there.
 * npm writes what it installed to `node_modules/.package-lock.json`; packages for other platforms are optional.
 * @param {string} root
 * @returns {string | undefined}
 */
export function firstDifference(root) {
  const installedFile = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(installedFile)) return 'nothing is installed yet';
  const wanted = packagesOf(join(root, 'package-lock.json'));
  if (wanted === undefined) fail('package-lock.json is missing or no JSON; take it back from git.');
  const installed = packagesOf(installedFile);
  if (installed === undefined) return 'what was installed cannot be read';
  for (const [path, entry] of Object.entries(wanted)) {
    if (!path.includes('node_modules/')) continue; // the workspaces themselves
    const found = installed[path];
    const optional = entry.optional === true || entry.devOptional === true;
    if (found === undefined && optional) continue;
    if (found === undefined || !existsSync(join(root, path, 'package.json'))) return `${path} is missing`;
    if (found.version !== entry.version || found.integrity !== entry.integrity) {
      return `${path} is ${found.version ?? 'another'}, wanted ${entry.version ?? 'another'}`;
    }
  }
  return undefined;
}

/**
 * The packages of a lockfile by path; undefined when it cannot be read.
 * @param {string} file
 * @returns {Record<string, Entry> | undefined}
 */
function packagesOf(file) {
  try {
    /** @type {unknown} */
    const lock = JSON.parse(readFileSync(file, 'utf8'));
    return /** @type {{ packages?: Record<string, Entry> }} */ (lock).packages ?? {};
  } catch {
    return undefined;
  }
}

/** The npm that runs us, else the one on the path. */
function npmCommand() {
  const script = process.env['npm_execpath'];
  if (script?.endsWith('npm-cli.js')) return { command: process.execPath, arguments: [script], shell: false };
  return { command: 'npm', arguments: [], shell: process.platform === 'win32' }; // npm.cmd starts through a shell only
}

/**
 * @param {string} message
 * @returns {never}
 */
function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
