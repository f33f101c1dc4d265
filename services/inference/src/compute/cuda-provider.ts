import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The library that onnxruntime-node loads for CUDA; npm does not bring it. */
export const CUDA_PROVIDER =
  process.platform === 'win32' ? 'onnxruntime_providers_cuda.dll' : 'libonnxruntime_providers_cuda.so';

/** The runtime itself says only that a library fails to load, and prints the rest past us. */
export function hasCudaProvider(): boolean {
  const runtime = dirname(dirname(fileURLToPath(import.meta.resolve('onnxruntime-node'))));
  return existsSync(join(runtime, 'bin', 'napi-v6', process.platform, process.arch, CUDA_PROVIDER));
}
