import { createLog } from '@atelier/http';
import type { Device } from '../predictor/predictor.ts';
import { startComputeProcess } from './compute-process.ts';
import { tryDevice } from './load-model.ts';

/** The number of the one model that is loaded. */
const MODEL = 1;

/**
 * Lets a compute process of its own load our own model on a device and compute an image with it. Rejects with
 * `device-unavailable` where that gives another answer than it must, or none, also by the end of the process. `entry` is
 * another program for that process, for tests.
 */
export async function tryDeviceAlone(device: Device, entry?: string): Promise<void> {
  const log = createLog('doctor', 'silent'); // what the libraries print is in the reason
  const running = await startComputeProcess({
    engines: 1,
    decoders: 1,
    stuckMs: 60_000,
    log,
    ...(entry === undefined ? {} : { entry }),
  });
  try {
    await tryDevice(running, MODEL, device, { loading: () => undefined });
  } finally {
    await running.close().catch(() => undefined); // it has died, and the reason is told already
  }
}
