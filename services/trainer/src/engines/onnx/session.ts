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

/**
 * Of `extra.session`: numbers below 1.2e-38 are 0. Adam's moments of weights whose pixel is black in most images sink below
 * that within a thousand steps, and Intel's processors are slow with such numbers: training sank to between a third and a half of its
 * speed. A step of that size changes no weight. onnxruntime does so on its own threads for each session, and on the
 * calling thread as the first session of the process has it, so that every session of the trainer says it.
 */
export const SUBNORMALS_ARE_ZERO = { set_denormal_as_zero: '1' };

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
    extra: { session: { ...SUBNORMALS_ARE_ZERO, disable_quant_qdq: '1' } },
  });
}
