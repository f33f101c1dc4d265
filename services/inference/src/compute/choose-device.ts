import { hasCode } from '@atelier/domain';
import type { Device, DeviceClaim } from '../predictor/predictor.ts';
import { deviceFaultOf, deviceUnavailable, reasonOf } from './device-faults.ts';

/** What `auto` tries, the best first. WebGPU must be asked for: its adapter may be a program that imitates one. */
const AUTOMATIC: readonly Device[] = ['cuda', 'cpu'];

/**
 * What to compute on. `proves` resolves where a device computes and rejects with `device-unavailable` and somebody's words
 * where it does not; the CPU is not asked. Resolves to the device that was asked for, or for `auto` the best that works
 * with the reasons of those that do not; rejects with `device-unavailable`, the reason and what to do about it.
 */
export async function chooseDevice(
  requested: DeviceClaim['requested'],
  proves: (device: Exclude<Device, 'cpu'>) => Promise<void>,
): Promise<DeviceClaim & { remedies: string[] }> {
  const reasons: string[] = [];
  const remedies: string[] = [];
  for (const actual of requested === 'auto' ? AUTOMATIC : [requested]) {
    const claim = { requested, actual, reason: reasons.join('; ') || null, remedies };
    if (actual === 'cpu') return claim;
    try {
      await proves(actual);
      return claim;
    } catch (error) {
      if (!hasCode(error, 'device-unavailable')) throw error;
      const fault = deviceFaultOf(actual, error.message);
      if (requested !== 'auto') throw deviceUnavailable(actual, fault);
      reasons.push(reasonOf(actual, fault));
      remedies.push(fault.remedy);
    }
  }
  throw new Error('unreachable: the CPU is the last candidate, or the only one throws');
}
