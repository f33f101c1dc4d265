import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** What an image computes on. */
export const KINDS = ['cpu', 'cuda', 'tfjs-gpu'] as const;
export type Kind = (typeof KINDS)[number];

const RUNTIME = ['libonnxruntime.so.1', 'onnxruntime_binding.node'];
const CUDA = 'libonnxruntime_providers_cuda.so';

/** What onnxruntime has for this system and architecture. TensorRT's provider would compile for minutes where it is found. */
const LIBRARIES: Record<Kind, readonly string[]> = {
  cpu: RUNTIME,
  cuda: [...RUNTIME, 'libonnxruntime_providers_shared.so', CUDA],
  'tfjs-gpu': RUNTIME,
};

/** In bytes. The provider is some hundred MB of kernels; what a proxy answers in its place is not. */
const SMALLEST_CUDA = 50_000_000;

const TFJS_NODE_GPU = join('node_modules', '@tensorflow', 'tfjs-node-gpu');

/**
 * What is wrong with the native libraries in `folder`, an installation with its `node_modules`, for an image of that
 * kind; one sentence each. Those of onnxruntime must be those named above and no others.
 */
export function nativeLibraryFaults(kind: Kind, folder: string): string[] {
  const tensorflow = [
    ...['libtensorflow.so.2', 'libtensorflow_framework.so.2'].map((name) => join(TFJS_NODE_GPU, 'deps', 'lib', name)),
    join(TFJS_NODE_GPU, 'lib', 'napi-v8', 'tfjs_binding.node'),
  ];
  return [...runtimeFaults(kind, folder), ...(kind === 'tfjs-gpu' ? missing(folder, tensorflow) : [])];
}

function runtimeFaults(kind: Kind, folder: string): string[] {
  const binaries = join('node_modules', 'onnxruntime-node', 'bin', 'napi-v6');
  const expected = LIBRARIES[kind].map((name) => join(binaries, process.platform, process.arch, name));
  const found = filesIn(join(folder, binaries)).map((path) => path.slice(folder.length + 1));
  const surplus = found.filter((path) => !expected.includes(path));
  return [
    ...missing(folder, expected),
    ...surplus.map((path) => `${path} does not belong into an image for ${kind}.`),
    ...found.filter((path) => path.endsWith(CUDA)).flatMap((path) => sizeFaults(folder, path)),
  ];
}

function filesIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name));
}

function missing(folder: string, paths: readonly string[]): string[] {
  return paths
    .filter((path) => !existsSync(join(folder, path)))
    .map((path) => `Expected ${path} in ${folder}; it is not there.`);
}

function sizeFaults(folder: string, path: string): string[] {
  const { size } = statSync(join(folder, path));
  return size >= SMALLEST_CUDA ? [] : [`${path} has ${size} bytes; the CUDA provider has at least ${SMALLEST_CUDA}.`];
}
