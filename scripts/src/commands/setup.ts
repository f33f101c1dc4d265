import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { Argument, Command } from '@commander-js/extra-typings';
import { note } from '../output.ts';
import type { Settings } from '../settings.ts';

/** tfjs-node-gpu must be of the same version as the tfjs-core that it registers its backend on. */
const TFJS_NODE_GPU = '@tensorflow/tfjs-node-gpu@4.22.0';

export function setupCommand(settings: Settings) {
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
      const steps = what === 'cuda' ? setUpCuda(settings) : setUpTfjsGpu();
      const { status } = spawnSync(steps.command, steps.arguments, {
        cwd: settings.root,
        stdio: 'inherit',
        env: { ...process.env, ...steps.environment },
      });
      if (status !== 0) throw new Error(`Setting up ${what} failed; the message is above.`);
      note(`${what} is set up.`);
    });
}

interface Step {
  command: string;
  arguments: string[];
  environment: Record<string, string>;
}

function setUpCuda({ root }: Settings): Step {
  const script = join(root, 'node_modules', 'onnxruntime-node', 'script', 'install.js');
  return { command: process.execPath, arguments: [script], environment: { ONNXRUNTIME_NODE_INSTALL: 'cuda12' } };
}

/** --no-save: the lockfile stays the one that installs without a GPU. */
function setUpTfjsGpu(): Step {
  const install = ['install', '--no-save', '--ignore-scripts=false', TFJS_NODE_GPU];
  return { command: process.platform === 'win32' ? 'npm.cmd' : 'npm', arguments: install, environment: {} };
}
