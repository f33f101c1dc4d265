import { z } from 'zod';
import { type Candidate, CANDIDATES } from './candidates.ts';
import { DEVICES, ENGINES } from './devices.ts';

/** An engine on a device, and whether it can be used here. */
export const DeviceReport = z.strictObject({
  engine: z.enum(ENGINES),
  device: z.enum(DEVICES),
  usable: z.boolean(),
  name: z.string().nullable().describe('What computes, in the words of the engine; null where it cannot be used'),
  reason: z.string().nullable().describe('Why it cannot be used'),
  remedy: z.string().nullable().describe('What to do about it'),
});
export type DeviceReport = z.infer<typeof DeviceReport>;

/** Tries every engine on every device, the best first; loads the runtimes. */
export async function listDevices(candidates: readonly Candidate[] = CANDIDATES): Promise<DeviceReport[]> {
  const reports: DeviceReport[] = [];
  for (const { engine, device, remedy, probe } of candidates) {
    const probed = await probe();
    reports.push(
      probed.usable
        ? { engine, device, usable: true, name: probed.device, reason: null, remedy: null }
        : { engine, device, usable: false, name: null, reason: probed.reason, remedy },
    );
  }
  return reports;
}
