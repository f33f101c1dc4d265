import { DomainError, messageOf } from '@atelier/domain';
import type * as onnxruntime from 'onnxruntime-node';
import type { Device } from '../predictor/predictor.ts';
import { hasCudaProvider, loaderFault } from './provider-libraries.ts';

type Runtime = typeof onnxruntime;
type Session = onnxruntime.InferenceSession;
type Options = onnxruntime.InferenceSession.SessionOptions;

/**
 * One thread and no spinning: for a model this small a second thread costs more than it gives, and a spinning one
 * takes a core from the thread that accepts requests. Entries of `extra` must be strings. What goes wrong is thrown; the
 * runtime need not print it as well.
 */
const COMMON: Options = { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 4 };
const NO_SPINNING = { intra_op: { allow_spinning: '0' } };

/**
 * Loads a model on one device, and nothing else: on another than the CPU no node may fall back to it, so that a session
 * that opens is the proof. `malformed-onnx` where the runtime refuses the model itself, whatever the device;
 * `device-unavailable` where the model is well, in the words of whoever knows best what is amiss. `runtime` is the URL of
 * `library`.
 */
export async function openSession(
  library: Runtime,
  model: Uint8Array,
  device: Device,
  runtime: string,
): Promise<Session> {
  try {
    return await openOn(library, model, device, runtime);
  } catch (cause) {
    if (device !== 'cpu') await refuseUnlessWell(library, model);
    if (device !== 'cpu') throw new DomainError('device-unavailable', wordsOf(cause, device, runtime), { cause });
    throw new DomainError('malformed-onnx', `The runtime refuses the model: ${messageOf(cause)}`, { cause });
  }
}

async function openOn(library: Runtime, model: Uint8Array, device: Device, runtime: string): Promise<Session> {
  if (device === 'cpu') {
    const extra = { session: NO_SPINNING };
    return library.InferenceSession.create(model, { ...COMMON, executionProviders: ['cpu'], extra });
  }
  // The runtime would print a line past us.
  if (device === 'cuda' && !hasCudaProvider(runtime)) throw new Error('Failed to load shared library');
  const extra = { session: { ...NO_SPINNING, disable_cpu_ep_fallback: '1' } };
  return library.InferenceSession.create(model, { ...COMMON, executionProviders: [device], extra });
}

/** What the CPU refuses, too, is no fault of another device. */
async function refuseUnlessWell(library: Runtime, model: Uint8Array): Promise<void> {
  const session = await openSession(library, model, 'cpu', '');
  await session.release();
}

function wordsOf(cause: unknown, device: Device, runtime: string): string {
  const words = messageOf(cause);
  if (!/failed to load shared library|failed to get a WebGPU adapter/i.test(words)) return words;
  return loaderFault(device, runtime) ?? words;
}
