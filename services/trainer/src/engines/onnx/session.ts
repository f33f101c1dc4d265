import { encodeModel, type OnnxModel } from '@atelier/onnx';
import type * as onnxruntime from 'onnxruntime-node';
import type { Device } from '../devices.ts';

export interface SessionSettings {
  device: Device;
  /** Threads that share an operator's work. */
  threads: number;
}

export type Runtime = typeof onnxruntime;

/**
 * Loads onnxruntime with its telemetry off, which it reads when its library loads; and products on CUDA in float32, which
 * CUDA's libraries would round to TF32, unless the variable says otherwise.
 */
export async function loadRuntime(): Promise<Runtime> {
  process.env['ORT_DISABLE_TELEMETRY'] = '1';
  process.env['NVIDIA_TF32_OVERRIDE'] ??= '0';
  return import('onnxruntime-node');
}

/** The URL of onnxruntime's module, as it is installed for this service. */
export function installedRuntime(): string {
  return import.meta.resolve('onnxruntime-node');
}

export async function openSession(
  runtime: Runtime,
  model: OnnxModel,
  { device, threads }: SessionSettings,
): Promise<onnxruntime.InferenceSession> {
  return runtime.InferenceSession.create(encodeModel(model), {
    executionProviders: [device],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    // Otherwise the runtime makes one DequantizeLinear for each node that takes its result, as quantised models like it.
    extra: { session: { disable_quant_qdq: '1' } },
  });
}
