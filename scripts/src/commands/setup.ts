import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Argument, Command } from '@commander-js/extra-typings';
import { note } from '../output.ts';
import type { Settings } from '../settings.ts';

/** tfjs-node-gpu must be of the same version as the tfjs-core that it registers its backend on. */
const TFJS_NODE_GPU = '@tensorflow/tfjs-node-gpu@4.22.0';

/** A program that fetches something, and a file that is there when it has. */
interface Step {
  command: string;
  arguments: string[];
  environment: Record<string, string>;
  proof: string;
}

/** Paths are relative to the repository's folder. */
const STEPS: Record<'cuda' | 'tfjs-gpu', Step> = {
  cuda: {
    command: process.execPath,
    arguments: [join('node_modules', 'onnxruntime-node', 'script', 'install.js')],
    // Any other value is ignored by onnxruntime-node 1.30, which then does nothing under `npm run`, with exit code 0.
    environment: { ONNXRUNTIME_NODE_INSTALL: 'true' },
    proof: join(
      ...['node_modules', 'onnxruntime-node', 'bin', 'napi-v6', process.platform, process.arch],
      process.platform === 'win32' ? 'onnxruntime_providers_cuda.dll' : 'libonnxruntime_providers_cuda.so',
    ),
  },
  'tfjs-gpu': {
    command: process.platform === 'win32' ? 'npm.cmd' : 'npm',
    // --no-save: the lockfile stays the one that installs without a GPU.
    arguments: ['install', '--no-save', '--ignore-scripts=false', TFJS_NODE_GPU],
    environment: {},
    proof: join('node_modules', '@tensorflow', 'tfjs-node-gpu', 'deps', 'lib'),
  },
};

export function setupCommand({ root }: Settings) {
  return new Command('setup')
    .description('Fetch a GPU library that `npm ci` leaves out, because it comes from outside the package registry.')
    .addArgument(new Argument('<what>').choices(['cuda', 'tfjs-gpu'] as const))
    .addHelpText(
      'after',
      `
  cuda      onnxruntime's CUDA provider (CUDA 12, cuDNN 9), by onnxruntime-node's own install script
  tfjs-gpu  ${TFJS_NODE_GPU} (CUDA 11.2, cuDNN 8.1, Node 20 or 22), and its native library`,
    )
    .action((what) => {
      const { command, arguments: words, environment, proof } = STEPS[what];
      const { status } = spawnSync(command, words, {
        cwd: root,
        stdio: 'inherit',
        shell: command.endsWith('.cmd'),
        env: { ...process.env, npm_config_loglevel: 'warn', ...environment },
      });
      if (status !== 0)
        throw new Error(`Setting up ${what} failed with exit code ${status ?? 'none'}; its own message is above.`);
      if (!existsSync(join(root, proof))) throw new Error(`Setting up ${what} ended well, but ${proof} is not there.`);
      note(`${what} is set up: ${proof}`);
    });
}
