import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Argument, Command } from '@commander-js/extra-typings';
import { note } from '../output.ts';
import type { Settings } from '../settings.ts';

/** Both must be of the same version as the tfjs-core that they register their backends on. */
const TFJS_NODE_GPU = '@tensorflow/tfjs-node-gpu@4.22.0';
const TFJS_WEBGPU = '@tensorflow/tfjs-backend-webgpu@4.22.0';
/** Dawn, the WebGPU of Chromium, built for Node: 51 MB to fetch, 137 MB on disk. */
const DAWN = 'webgpu@0.6.2';

/** A program that fetches something, and a file that is there when it has. */
interface Step {
  command: string;
  arguments: string[];
  environment: Record<string, string>;
  proof: string;
}

const CHOICES = ['cuda', 'tfjs-gpu', 'webgpu'] as const;
type What = (typeof CHOICES)[number];

/** Paths are relative to the repository's folder. */
const STEPS: Record<What, Step> = {
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
    ...npmInstall('--ignore-scripts=false', TFJS_NODE_GPU),
    proof: join('node_modules', '@tensorflow', 'tfjs-node-gpu', 'deps', 'lib'),
  },
  webgpu: {
    ...npmInstall(DAWN, TFJS_WEBGPU),
    proof: join('node_modules', 'webgpu', 'dist'),
  },
};

/** --no-save: the lockfile stays the one that installs without a GPU. */
function npmInstall(...words: string[]): Omit<Step, 'proof'> {
  return {
    command: process.platform === 'win32' ? 'npm.cmd' : 'npm',
    arguments: ['install', '--no-save', '--no-audit', '--no-fund', ...words],
    environment: {},
  };
}

/** npm removes what no lockfile asks for, so what an earlier setup installed is asked for again. */
function installedBefore(root: string, what: What): string[] {
  if (what === 'cuda') return [];
  const packages = what === 'webgpu' ? [TFJS_NODE_GPU] : [DAWN, TFJS_WEBGPU];
  return packages.filter((name) => existsSync(join(root, 'node_modules', name.replace(/@[^@]+$/, ''))));
}

export function setupCommand({ root }: Settings) {
  return new Command('setup')
    .description(
      'Fetch a GPU library that `npm ci` leaves out, because it is large or comes from outside the package registry.',
    )
    .addArgument(new Argument('<what>').choices(CHOICES))
    .addHelpText(
      'after',
      `
  cuda      onnxruntime's CUDA provider (CUDA 12, cuDNN 9), by onnxruntime-node's own install script
  tfjs-gpu  ${TFJS_NODE_GPU} (CUDA 11.2, cuDNN 8.1, Node 20 or 22), and its native library
  webgpu    ${DAWN} and ${TFJS_WEBGPU}: any GPU with a Vulkan, Metal or D3D12 driver, for tfjs`,
    )
    .action((what) => {
      const { command, arguments: words, environment, proof } = STEPS[what];
      const { status } = spawnSync(command, [...words, ...installedBefore(root, what)], {
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
