import { DomainError } from '@atelier/domain';
import type { Device } from '../predictor/predictor.ts';

/** Why a device cannot be used, coarsely enough to know what to do. */
export const DEVICE_FAULTS = ['library missing', 'library broken', 'driver', 'memory', 'operator', 'unknown'] as const;
export type DeviceFaultKind = (typeof DEVICE_FAULTS)[number];

export interface DeviceFault {
  kind: DeviceFaultKind;
  /** What the runtime, the loader or the driver said, without paths and names of this machine. */
  words: string;
  /** What to do about it, as a sentence. */
  remedy: string;
}

/**
 * What they say, the first that fits. Each was met by somebody; those that can be provoked without a GPU are provoked in
 * the tests.
 */
const KINDS: readonly [RegExp, DeviceFaultKind][] = [
  // https://github.com/microsoft/onnxruntime/issues/16307, https://github.com/hacksider/Deep-Live-Cam/issues/584
  [
    /out of memory|failed to allocate memory|_ALLOC_FAILED|OUT_OF_(DEVICE|HOST)_MEMORY|max buffer size limit/i,
    'memory',
  ],
  // https://github.com/microsoft/onnxruntime/issues/22968, on Windows https://github.com/microsoft/onnxruntime/issues/14837
  [/cannot open shared object|no such file|module could not be found|error 126\b/i, 'library missing'],
  [
    /file too short|invalid ELF|wrong ELF class|undefined symbol|version `|not a valid Win32|error 193\b/i,
    'library broken',
  ],
  [/failed to load (shared )?library|LoadLibrary failed/i, 'library missing'],
  // https://github.com/microsoft/onnxruntime/pull/16016, https://github.com/microsoft/onnxruntime/issues/24479
  [/assigned to the default CPU EP|could not find an implementation|kernel not found|NOT_IMPLEMENTED/i, 'operator'],
  // 35: https://github.com/triton-inference-server/server/issues/4346, 100: https://github.com/microsoft/onnxruntime/issues/11561,
  // 999: https://github.com/microsoft/onnxruntime/issues/14211, no kernel image: https://github.com/microsoft/onnxruntime/issues/27600,
  // cuBLAS: https://github.com/microsoft/onnxruntime/issues/2386, no adapter: https://github.com/microsoft/onnxruntime/pull/25219
  [
    /CUDA (failure|error)|CU(BLAS|DNN) failure|CUDA driver|no CUDA-capable|WebGPU (adapter|device)|vk[A-Z]\w+ failed/i,
    'driver',
  ],
  [/ended the compute process/, 'driver'],
];

type Accelerator = Exclude<Device, 'cpu'>;

const REMEDIES: Record<Accelerator, Record<DeviceFaultKind, string>> = {
  cuda: {
    'library missing':
      'npm run setup:cuda fetches the CUDA provider; CUDA 12 and cuDNN 9 must lie where the system looks for libraries.',
    'library broken': 'Fetch the CUDA provider anew (npm run setup:cuda), and see that CUDA is 12 and cuDNN is 9.',
    driver: 'nvidia-smi must list a GPU, in a container too, and a driver that is new enough for CUDA 12.',
    memory: 'nvidia-smi shows who holds the memory of the GPU.',
    operator: 'The model has an operator that the CUDA provider lacks: serve it with DEVICE=cpu.',
    unknown: 'Report these words, please; DEVICE=cpu computes without a GPU.',
  },
  webgpu: {
    'library missing': 'Install the Vulkan loader (Debian and Ubuntu: libvulkan1) and the Vulkan driver of the GPU.',
    'library broken': 'Install the Vulkan loader (Debian and Ubuntu: libvulkan1) anew.',
    driver: 'vulkaninfo must list a GPU, in a container too; VK_DRIVER_FILES may name its driver.',
    memory: 'Free memory of the GPU, or serve fewer versions.',
    operator: 'The model has an operator that the WebGPU provider lacks: serve it with DEVICE=cpu.',
    unknown: 'Report these words, please; DEVICE=cpu computes without a GPU.',
  },
};

/** What a failure on a device means. */
export function deviceFaultOf(device: Accelerator, message: string): DeviceFault {
  const kind = KINDS.find(([pattern]) => pattern.test(message))?.[1] ?? 'unknown';
  return { kind, words: tellingWords(message), remedy: REMEDIES[device][kind] };
}

/** A fault as a reason that goes into answers and metrics: `cuda: driver: CUDA failure 100: no CUDA-capable device ...`. */
export function reasonOf(device: Accelerator, { kind, words }: DeviceFault): string {
  return `${device}: ${kind}: ${words}`;
}

/** The failure of a service that computes on this device or not at all. */
export function deviceUnavailable(device: Accelerator, fault: DeviceFault): DomainError {
  return new DomainError('device-unavailable', `DEVICE=${reasonOf(device, fault)}. ${fault.remedy}`);
}

const LONGEST = 200;

function tellingWords(message: string): string {
  // What CUDA says stands between the names of the function that noticed and those of this machine.
  const cuda = /\bCU(?:DA|BLAS|DNN) (?:failure|error)[^;]*/.exec(message)?.[0];
  const words = (cuda ?? message)
    .replace(/^.*\/onnxruntime_src\/.*? was false\. /s, '')
    .replace(/^.*Status Message: /s, '')
    .replace(/(?<![\w.])(?:[A-Za-z]:)?(?:[\\/][^\s\\/:'"]+)+[\\/]/g, '')
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/\.$/, '');
  return words.length > LONGEST ? `${words.slice(0, LONGEST)}...` : words;
}
