import { DomainError, messageOf } from '@atelier/domain';
import type * as onnxruntime from 'onnxruntime-node';
import type { Device, DeviceClaim } from '../predictor/predictor.ts';
import { CUDA_PROVIDER, hasCudaProvider } from './cuda-provider.ts';

type Runtime = typeof onnxruntime;
type Options = onnxruntime.InferenceSession.SessionOptions;

/**
 * One thread and no spinning: for a model this small a second thread costs more than it gives, and a spinning one
 * takes a core from the thread that accepts requests. Entries of `extra` must be strings. What goes wrong is thrown; the
 * runtime need not print it as well.
 */
const COMMON: Options = { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 4 };
const NO_SPINNING = { intra_op: { allow_spinning: '0' } };

/** What `auto` tries, the best first. WebGPU must be asked for: its adapter may be a program that imitates one. */
const AUTOMATIC: readonly Device[] = ['cuda', 'cpu'];

export interface OpenedSession {
  session: onnxruntime.InferenceSession;
  device: DeviceClaim;
}

/**
 * Loads a model on the device that was asked for, and nothing else: `device-unavailable` says what is missing. `auto`
 * takes the best that works and keeps the reasons of those that do not. On another device than the CPU no node may fall
 * back to it, so that a session that opens is the proof. `malformed-onnx` where the runtime refuses the model itself.
 */
export async function openSession(
  runtime: Runtime,
  model: Uint8Array,
  requested: DeviceClaim['requested'],
): Promise<OpenedSession> {
  const reasons: string[] = [];
  for (const actual of requested === 'auto' ? AUTOMATIC : [requested]) {
    try {
      const session = await openOn(runtime, model, actual);
      return { session, device: { requested, actual, reason: reasons.join('; ') || null } };
    } catch (cause) {
      if (actual === 'cpu') {
        throw new DomainError('malformed-onnx', `The runtime refuses the model: ${messageOf(cause)}`, { cause });
      }
      const reason = `${actual}: ${reasonIn(cause)}`;
      if (requested !== 'auto') throw new DomainError('device-unavailable', `DEVICE=${reason}.`, { cause });
      reasons.push(reason);
    }
  }
  throw new Error('unreachable: the last candidate throws');
}

async function openOn(runtime: Runtime, model: Uint8Array, device: Device) {
  if (device === 'cpu') {
    return runtime.InferenceSession.create(model, {
      ...COMMON,
      executionProviders: ['cpu'],
      extra: { session: NO_SPINNING },
    });
  }
  if (device === 'cuda' && !hasCudaProvider()) {
    throw new Error(`library missing: onnxruntime's CUDA provider (${CUDA_PROVIDER}); npm run setup:cuda fetches it`);
  }
  return runtime.InferenceSession.create(model, {
    ...COMMON,
    executionProviders: [device],
    extra: { session: { ...NO_SPINNING, disable_cpu_ep_fallback: '1' } },
  });
}

/** What the runtime's words mean, from the most telling to the least. */
const CLASSES: readonly [RegExp, string][] = [
  [/out of memory|failed to allocate|OutOfMemory|CUBLAS_STATUS_ALLOC_FAILED/i, 'memory'],
  [/cannot open shared object|failed to load|LoadLibrary|libcu|cudnn.*not found|no such file/i, 'library missing'],
  [/driver|no CUDA-capable device|Failed to get a WebGPU adapter|adapter|cudaGetDevice|CUDA failure/i, 'driver'],
  [/not implemented|could not find an implementation|fallback to CPU|assigned to the default CPU EP/i, 'operator'],
];

function reasonIn(cause: unknown): string {
  // "/onnxruntime_src/... condition was false. Failed to ..." begins with what only its authors want to know.
  const words = messageOf(cause)
    .replace(/^.*\/onnxruntime_src\/.*? was false\. /s, '')
    .trim();
  if (words.startsWith('library missing: ')) return words;
  const kind = CLASSES.find(([pattern]) => pattern.test(words))?.[1] ?? 'unknown';
  return `${kind}: ${words.slice(0, 500)}`;
}
