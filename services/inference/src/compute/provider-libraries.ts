import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { messageOf } from '@atelier/domain';
import type { Device } from '../predictor/predictor.ts';

/** The URL of onnxruntime's module, as it is installed for this service. */
export function installedRuntime(): string {
  return import.meta.resolve('onnxruntime-node');
}

/** Whether onnxruntime's CUDA provider lies beside it; npm does not bring it. */
export function hasCudaProvider(runtime = installedRuntime()): boolean {
  return existsSync(librariesOf('cuda', runtime).at(-1) ?? '');
}

/**
 * Why the libraries of a device do not load, in the words of the system's loader; null where they do. The runtime prints
 * these words past us and says itself only that it "failed to load shared library"
 * (https://github.com/microsoft/onnxruntime/issues/8052). To be asked when it has failed: it loads them too.
 */
export function loaderFault(device: Device, runtime: string): string | null {
  const libraries = librariesOf(device, runtime);
  const missing = libraries.findLast((library) => isAbsolute(library) && !existsSync(library));
  if (missing !== undefined) return `${basename(missing)}: no such file`;
  for (const library of libraries) {
    try {
      process.dlopen({ exports: {} }, library, constants.dlopen.RTLD_LAZY);
    } catch (error) {
      // It was loaded, and is no addon of Node's.
      if (!messageOf(error).startsWith('Module did not self-register')) return messageOf(error);
    }
  }
  return null;
}

/** In the order in which they are needed: paths, or names that the system looks for. */
function librariesOf(device: Device, runtime: string): string[] {
  if (device === 'webgpu') return process.platform === 'linux' ? ['libvulkan.so.1'] : [];
  if (device === 'cpu') return [];
  const folder = join(dirname(dirname(fileURLToPath(runtime))), 'bin', 'napi-v6', process.platform, process.arch);
  const [prefix, suffix] = process.platform === 'win32' ? ['', '.dll'] : ['lib', '.so'];
  return ['shared', 'cuda'].map((name) => join(folder, `${prefix}onnxruntime_providers_${name}${suffix}`));
}
