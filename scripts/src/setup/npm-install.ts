import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { runProgram } from './run-program.ts';

/** All must be of the same version as the tfjs-core that they register their backends on. */
export const TFJS_NODE_GPU = '@tensorflow/tfjs-node-gpu@4.22.0';
export const TFJS_WEBGPU = '@tensorflow/tfjs-backend-webgpu@4.22.0';
/** Dawn, the WebGPU of Chromium, built for Node: 51 MB to fetch, 137 MB on disk. */
export const DAWN = 'webgpu@0.6.2';

const OPTIONAL = [TFJS_NODE_GPU, TFJS_WEBGPU, DAWN];

/**
 * Installs packages, whose integrity npm checks, and shows its progress. --no-save: the lockfile stays the one that installs
 * without a GPU. npm removes what no lockfile asks for, so what an earlier setup installed is asked for again.
 */
export async function npmInstall(
  root: string,
  packages: readonly string[],
  { scripts = false, signal }: { scripts?: boolean; signal?: AbortSignal | undefined } = {},
): Promise<void> {
  const before = OPTIONAL.filter((name) => !packages.includes(name) && existsSync(folderOf(root, name)));
  await runProgram(
    process.platform === 'win32' ? 'npm.cmd' : 'npm',
    [
      ...['install', '--no-save', '--no-audit', '--no-fund', '--foreground-scripts'],
      ...[`--ignore-scripts=${!scripts}`, ...packages, ...before],
    ],
    { cwd: root, environment: {}, isShown: true, signal },
  );
}

/** Where a package lies that is named with its version. */
export function folderOf(root: string, packageAndVersion: string): string {
  return join(root, 'node_modules', packageAndVersion.replace(/@[^@]+$/, ''));
}
