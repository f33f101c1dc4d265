import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Check } from '../check.ts';
import type { Finding } from '../report.ts';

/** onnxruntime-node as it is installed: its version and the files of its providers. `locate` gives the URL of its module. */
export function onnxruntimeCheck(locate: () => string): Check {
  return { group: 'machine', name: 'onnxruntime', examine: () => examineRuntime(locate) };
}

const INSTALL = 'Install it anew: npm ci.';

function examineRuntime(locate: () => string): Finding {
  const folder = folderOf(locate);
  if (folder === null) {
    return { status: 'fault', summary: 'onnxruntime-node is not installed', remedy: INSTALL };
  }
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string };
  const libraries = join(folder, 'bin', 'napi-v6', process.platform, process.arch);
  const names = existsSync(libraries) ? readdirSync(libraries) : [];
  const has = (part: string) => names.some((name) => name.includes(part));
  const cuda = has('onnxruntime_providers_cuda') && has('onnxruntime_providers_shared');
  const facts = { version, folder: libraries, files: names.sort(), cudaProvider: cuda };
  if (!has('onnxruntime_binding') || !names.some((name) => /^(lib)?onnxruntime(\.|\d)/.test(name))) {
    return {
      status: 'fault',
      summary: `${version}, but ${libraries} lacks its libraries for ${process.platform} ${process.arch}`,
      remedy: INSTALL,
      facts,
    };
  }
  const half = !cuda && has('onnxruntime_providers_cuda');
  const provider = cuda ? 'CUDA provider' : half ? 'half of a CUDA provider' : 'no CUDA provider';
  const summary = `${version} with CPU, WebGPU and ${provider}${has('providers_tensorrt') ? ', and TensorRT' : ''}`;
  if (cuda || process.platform !== 'linux' || process.arch !== 'x64') return { status: 'ok', summary, facts };
  return {
    status: 'note',
    summary,
    remedy: 'npm run setup:cuda fetches the CUDA provider (for an NVIDIA GPU).',
    facts,
  };
}

function folderOf(locate: () => string): string | null {
  try {
    const folder = dirname(dirname(fileURLToPath(locate())));
    return existsSync(join(folder, 'package.json')) ? folder : null;
  } catch {
    return null;
  }
}
