import { messageOf } from '@atelier/domain';
import { z } from 'zod';
import { askChild } from '../ask-child.ts';
import type { Check } from '../check.ts';
import type { Finding } from '../report.ts';

const SETUP = 'npm run setup:tfjs-gpu fetches it; it wants CUDA 11.2, cuDNN 8.1 and Node 20 or 22.';

/** Loads it, and says whether it computes on a GPU or has fallen back to the processor. */
const LOAD = `
const module = await import(process.argv[1]);
const tf = module.default ?? module;
await tf.ready();
console.log(JSON.stringify({ version: tf.version_core ?? null, gpu: tf.backend().isUsingGpuDevice === true }));`;

const Loaded = z.object({ version: z.string().nullable(), gpu: z.boolean() });

/** tfjs-node-gpu, which is installed by a command of its own, loaded in a process of its own. `locate` gives its module's URL. */
export function tfjsNodeGpuCheck(locate: () => string): Check {
  return { group: 'trainer', name: 'tfjs-node-gpu', examine: () => examineTfjs(locate) };
}

async function examineTfjs(locate: () => string): Promise<Finding> {
  let url: string;
  try {
    url = locate();
  } catch {
    const facts = { installed: false, loadable: false, gpu: false };
    return { status: 'note', summary: 'not installed', remedy: SETUP, facts };
  }
  try {
    const { version, gpu } = Loaded.parse(await askChild(['--input-type=module', '-e', LOAD, url]));
    const facts = { installed: true, loadable: true, gpu, version };
    if (gpu) return { status: 'ok', summary: `loads and computes on a GPU, on tfjs ${version}`, facts };
    return { status: 'note', summary: 'loads, but sees no GPU, or not its CUDA', remedy: SETUP, facts };
  } catch (error) {
    const facts = { installed: true, loadable: false, gpu: false };
    return { status: 'note', summary: `installed, but does not load: ${messageOf(error)}`, remedy: SETUP, facts };
  }
}
