import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Argument, Command } from '@commander-js/extra-typings';
import { existingPath } from '../arguments.ts';
import { interruptSignal } from '../interrupt.ts';
import { note } from '../output.ts';
import type { Settings } from '../settings.ts';
import { setUpCudaProvider, type SetupOptions } from '../setup/cuda-provider.ts';
import { DAWN, npmInstall, TFJS_NODE_GPU, TFJS_WEBGPU } from '../setup/npm-install.ts';
import { setUpTfjsNodeGpu } from '../setup/tfjs-node-gpu.ts';

const CHOICES = ['cuda', 'tfjs-gpu', 'webgpu'] as const;

/** Each resolves to what is there now. */
const SETUPS: Record<(typeof CHOICES)[number], (options: SetupOptions) => Promise<string[]>> = {
  cuda: setUpCudaProvider,
  'tfjs-gpu': (options) => setUpTfjsNodeGpu(options),
  webgpu: setUpWebgpu,
};

export function setupCommand({ root }: Settings) {
  return new Command('setup')
    .description(
      'Fetch a GPU library that `npm ci` leaves out, because it is large or comes from outside the package registry.',
    )
    .addArgument(new Argument('<what>').choices(CHOICES))
    .option('--from <file>', 'a copy that was fetched elsewhere, for a machine without that network', existingPath)
    .addHelpText(
      'after',
      `
  cuda      onnxruntime's CUDA provider (CUDA 12, cuDNN 9), by onnxruntime-node's own install script;
            --from takes the package of NuGet
  tfjs-gpu  ${TFJS_NODE_GPU} (CUDA 11.2, cuDNN 8.1, Node 20 or 22), and its native library;
            --from takes an archive (.tgz) of its installed folder
  webgpu    ${DAWN} and ${TFJS_WEBGPU}: any GPU with a Vulkan, Metal or D3D12 driver, for tfjs

Then: npm run doctor -- --device cuda (or webgpu)`,
    )
    .action(async (what, { from }) => {
      const signal = interruptSignal('Stopping; nothing half done is left.');
      const placed = await SETUPS[what]({ root, from: from === undefined ? undefined : resolve(from), signal });
      note(`${what} is set up: ${placed.join(', ')}`);
    });
}

async function setUpWebgpu({ root, from, signal }: SetupOptions): Promise<string[]> {
  if (from !== undefined) throw new Error('webgpu comes from the package registry alone: there is no --from for it.');
  await npmInstall(root, [DAWN, TFJS_WEBGPU], { signal });
  const proof = join(root, 'node_modules', 'webgpu', 'dist');
  if (!existsSync(proof)) throw new Error(`npm ended well, but ${proof} is not there.`);
  return [proof];
}
