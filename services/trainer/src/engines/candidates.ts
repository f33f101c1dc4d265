import { messageOf } from '@atelier/domain';
import type { EngineFactory } from '../training-engine.ts';
import type { Device, EngineName } from './devices.ts';

/** An engine on a device. */
export interface Candidate {
  engine: EngineName;
  device: Device;
  /** The engine choices with which the device `auto` considers this; none where it must be asked for. */
  automaticFor: readonly (EngineName | 'auto')[];
  /** Loads the runtime, and tries the device, because what is installed need not work. */
  probe: () => Promise<Probe>;
  /** What to do where it cannot be used, as the end of a sentence. */
  remedy: string;
}

export type Probe =
  | {
      usable: true;
      /** What computes, for people: "wasm", "webgpu (NVIDIA H100)". */
      device: string;
      /** Why not something faster on the same device. */
      passedOver: readonly string[];
      create: EngineFactory;
    }
  | { usable: false; reason: string };

/** The best first. WebGPU must be asked for: its adapter may be a slow one, or a program that imitates one. */
export const CANDIDATES: readonly Candidate[] = [
  {
    engine: 'tfjs',
    device: 'cuda',
    automaticFor: ['auto', 'tfjs'],
    probe: () => probeTfjs('cuda'),
    remedy: 'npm run setup:tfjs-gpu (CUDA 11.2, cuDNN 8.1)',
  },
  {
    engine: 'onnx',
    device: 'cuda',
    automaticFor: ['auto', 'onnx'],
    probe: () => probeOnnx('cuda'),
    remedy: 'npm run setup:cuda (CUDA 12, cuDNN 9)',
  },
  {
    engine: 'onnx',
    device: 'webgpu',
    automaticFor: [],
    probe: () => probeOnnx('webgpu'),
    remedy: 'install the driver of the GPU; on Linux also the Vulkan loader, libvulkan1',
  },
  {
    engine: 'tfjs',
    device: 'webgpu',
    automaticFor: [],
    probe: () => probeTfjs('webgpu'),
    remedy: 'npm run setup:webgpu; on Linux also the Vulkan loader, libvulkan1',
  },
  {
    engine: 'onnx',
    device: 'cpu',
    automaticFor: ['auto', 'onnx'],
    probe: () => probeOnnx('cpu'),
    remedy: 'npm ci brings onnxruntime for it',
  },
  {
    engine: 'tfjs',
    device: 'cpu',
    automaticFor: ['auto', 'tfjs'],
    probe: () => probeTfjs('cpu'),
    remedy: 'npm ci brings its WebAssembly backend',
  },
];

/** tfjs is loaded only when it is probed, and takes half a second: where it cannot be used for want of a package, not even then. */
async function probeTfjs(device: Device): Promise<Probe> {
  try {
    if (device === 'cuda') await requireTfjsGpu();
    const { startBackend } = await import('./tfjs/backend.ts');
    const { createTfjsEngine } = await import('./tfjs/engine.ts');
    const backend = await startBackend(device);
    return { usable: true, ...backend, create: (recipe) => createTfjsEngine(recipe, backend.device) };
  } catch (error) {
    return { usable: false, reason: messageOf(error) };
  }
}

async function requireTfjsGpu(): Promise<void> {
  const { requireInstalled } = await import('./tfjs/import-optional.ts');
  try {
    requireInstalled('@tensorflow/tfjs-node-gpu');
  } catch (cause) {
    throw new Error(`tfjs-node-gpu: ${messageOf(cause)}`, { cause });
  }
}

/** onnxruntime is loaded only when it is probed. */
async function probeOnnx(device: Device): Promise<Probe> {
  try {
    const { proveDevice } = await import('./onnx/prove-device.ts');
    const { createOnnxEngine } = await import('./onnx/engine.ts');
    await proveDevice(device);
    return {
      usable: true,
      device,
      passedOver: [],
      create: (recipe, settings) => createOnnxEngine(recipe, { ...settings, device }),
    };
  } catch (error) {
    return { usable: false, reason: messageOf(error) };
  }
}
