import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { messageOf } from '@atelier/domain';
import { encodeModel, float32Tensor, model, node, value } from '@atelier/onnx';
import type { Device } from '../devices.ts';
import { installedRuntime, loadRuntime } from './session.ts';

/** y = x·w + b. */
const PRODUCT = encodeModel(
  model({
    name: 'probe',
    nodes: [node('Gemm', ['x', 'w', 'b'], 'y')],
    inputs: [value('x', 'float32', [1, 2])],
    outputs: [value('y', 'float32', [1, 1])],
    initializers: [
      float32Tensor('w', [2, 1], new Float32Array([3, 4])),
      float32Tensor('b', [1], new Float32Array([5])),
    ],
    values: [],
  }),
);

/**
 * Resolves when onnxruntime computes a product on the device itself, and rejects with what is missing when it cannot. A
 * session that may fall back to the CPU proves nothing: onnxruntime would take it in silence.
 */
export async function proveDevice(device: Device): Promise<void> {
  if (device === 'cuda') requireCudaProvider();
  const { InferenceSession, Tensor } = await loadRuntime();
  const session = await InferenceSession.create(PRODUCT, {
    executionProviders: [device],
    logSeverityLevel: 4, // what goes wrong is thrown
    ...(device === 'cpu' ? {} : { extra: { session: { disable_cpu_ep_fallback: '1' } } }),
  }).catch((cause: unknown) => {
    throw new Error(withoutSourceLocation(messageOf(cause)), { cause });
  });
  try {
    const { y } = await session.run({ x: new Tensor('float32', new Float32Array([1, 2]), [1, 2]) });
    const [found] = (y?.data ?? []) as Float32Array;
    if (found !== 16) throw new Error(`it computes 1·3 + 2·4 + 5 = ${found ?? 'nothing'}`);
  } finally {
    await session.release();
  }
}

/** onnxruntime itself says only that a library fails to load, and prints the rest past us. */
function requireCudaProvider(): void {
  const name = process.platform === 'win32' ? 'onnxruntime_providers_cuda.dll' : 'libonnxruntime_providers_cuda.so';
  const runtime = dirname(dirname(fileURLToPath(installedRuntime())));
  if (existsSync(join(runtime, 'bin', 'napi-v6', process.platform, process.arch, name))) return;
  throw new Error(`onnxruntime's CUDA provider (${name}) is not installed`);
}

/** "/onnxruntime_src/... condition was false. Failed to ..." begins with what only its authors want to know. */
function withoutSourceLocation(message: string): string {
  return message.replace(/^\/onnxruntime_src\/.*? was false\. /, '').trim();
}
