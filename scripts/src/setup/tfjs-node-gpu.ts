import { existsSync, readdirSync } from 'node:fs';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '@atelier/domain';
import { note } from '../output.ts';
import type { SetupOptions } from './cuda-provider.ts';
import { folderOf, npmInstall, TFJS_NODE_GPU } from './npm-install.ts';
import { runProgram } from './run-program.ts';
import { requireSharedLibrary, sha256Of } from './shared-library.ts';
import { withStaging } from './staging.ts';

/** It has binaries for these alone. */
const NODE_MAJORS = [20, 22];

/** What its install script brings, beside what npm does: the libraries of TensorFlow, and the binding to them. */
const NATIVE_FOLDERS = ['deps', 'lib'];

const LIBRARIES = join('deps', 'lib');

/** Installs a package of npm's; another one for tests. */
type Install = typeof npmInstall;

/**
 * Installs tfjs-node-gpu and its native libraries: by its own script, or out of an archive of the folder that it has on a
 * machine where that worked. What comes must be of the version that is wanted, and whole libraries for this processor.
 */
export async function setUpTfjsNodeGpu(
  { root, from, signal }: SetupOptions,
  install: Install = npmInstall,
  nodeVersion = process.versions.node,
): Promise<string[]> {
  if (!NODE_MAJORS.includes(Number.parseInt(nodeVersion, 10))) {
    throw new Error(
      `${TFJS_NODE_GPU} has binaries for Node ${NODE_MAJORS.join(' and ')} only; this is ${nodeVersion}.`,
    );
  }
  const folder = folderOf(root, TFJS_NODE_GPU);
  if (from === undefined) {
    note(`Installing ${TFJS_NODE_GPU}; its script fetches TensorFlow (about 400 MB) ...`);
    await install(root, [TFJS_NODE_GPU], { scripts: true, signal }).catch((cause: unknown) => {
      throw new Error(`${messageOf(cause)}. ${OFFLINE}`, { cause });
    });
    return requireWhole(folder).catch(async (cause: unknown) => {
      await rm(folder, { recursive: true, force: true }); // half of it would be taken for installed
      throw new Error(`tfjs-node-gpu was installed, but ${messageOf(cause)} ${OFFLINE}`, { cause });
    });
  }
  return withStaging(root, async (staging) => {
    const copy = await unpack(from, staging, signal);
    await requireWhole(copy);
    await install(root, [TFJS_NODE_GPU], { signal });
    for (const name of NATIVE_FOLDERS) {
      const target = join(folder, name);
      await rm(target, { recursive: true, force: true });
      await rename(join(copy, name), target);
    }
    return requireWhole(folder);
  });
}

const OFFLINE =
  'Its script needs storage.googleapis.com. Where that cannot be reached, run npm run setup:tfjs-gpu on another machine with ' +
  'the same system, then there: tar czf tfjs-node-gpu.tgz -C node_modules/@tensorflow tfjs-node-gpu, and here: ' +
  'npm run setup:tfjs-gpu -- --from tfjs-node-gpu.tgz.';

async function unpack(from: string, staging: string, signal: AbortSignal | undefined): Promise<string> {
  const place = join(staging, 'unpacked');
  await mkdir(place);
  const words = ['-xzf', from, '-C', place, '--no-same-owner'];
  await runProgram('tar', words, { cwd: process.cwd(), environment: {}, isShown: false, signal }).catch(
    (cause: unknown) => {
      throw new Error(`${from} cannot be unpacked: ${messageOf(cause)}`, { cause });
    },
  );
  const copy = join(place, 'tfjs-node-gpu');
  const version = await versionIn(copy).catch((cause: unknown) => {
    throw new Error(`${from} has a package.json that cannot be read: ${messageOf(cause)}`, { cause });
  });
  const wanted = TFJS_NODE_GPU.replace(/^.*@/, '');
  if (version !== wanted) {
    throw new Error(`${from} is not of tfjs-node-gpu ${wanted}: ${version ?? 'there is no tfjs-node-gpu in it'}.`);
  }
  return copy;
}

async function versionIn(folder: string): Promise<string | null> {
  const text = await readFile(join(folder, 'package.json'), 'utf8').catch(() => null);
  if (text === null) return null;
  const { name, version } = JSON.parse(text) as { name: string; version: string };
  return name === '@tensorflow/tfjs-node-gpu' ? version : `${name} ${version}`;
}

/** The libraries that must be there, by their paths; rejects where one is missing or broken. */
async function requireWhole(folder: string): Promise<string[]> {
  const binding = namesIn(join(folder, 'lib'))
    .filter((name) => name.startsWith('napi-v'))
    .map((name) => join(folder, 'lib', name, 'tfjs_binding.node'))
    .find((path) => existsSync(path));
  const tensorflow = ['libtensorflow.so.2', 'libtensorflow_framework.so.2'].map((name) =>
    join(folder, LIBRARIES, name),
  );
  const missing = tensorflow.filter((path) => !existsSync(path));
  if (binding === undefined) missing.push(join(folder, 'lib', 'napi-v*', 'tfjs_binding.node'));
  if (missing.length > 0 || binding === undefined) throw new Error(`${missing.join(', ')} is not there.`);
  const paths = [...tensorflow, binding];
  for (const path of paths) await requireSharedLibrary(path);
  for (const path of tensorflow) note(`  ${path.slice(folder.length + 1)}, SHA-256 ${await sha256Of(path)}`);
  return paths;
}

function namesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}
