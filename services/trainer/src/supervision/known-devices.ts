import { hostname } from 'node:os';
import { DomainError } from '@atelier/domain';
import { z } from 'zod';
import { type DeviceChoice, type EngineChoice, ENGINES } from '../engines/devices.ts';
import { DeviceReport } from '../engines/list-devices.ts';
import { runErrand } from '../process/errand-process.ts';
import type { Run } from '../runs/run.ts';

/** A machine that trains, and what it can train with. */
export const TrainingMachine = z.strictObject({
  host: z.string().describe('Its name'),
  devices: z.array(DeviceReport).describe('Each engine on each device, the best first'),
});
export type TrainingMachine = z.infer<typeof TrainingMachine>;

/** Where runs are trained. */
export type FindMachines = () => Promise<TrainingMachine[]>;

/** What is plugged in or installed meanwhile is found after so long, in ms. */
const FRESH_MS = 60_000;

/** What this machine can train with, tried in a process of its own. */
export function listMachineDevices(): Promise<DeviceReport[]> {
  return runErrand('devices', { engines: ENGINES });
}

/** This machine alone; its devices are tried in a process of their own and remembered for a while. */
export function thisMachine(): FindMachines {
  let found: Promise<TrainingMachine[]> | null = null;
  let askedAt = 0;
  return () => {
    if (found === null || performance.now() - askedAt > FRESH_MS) {
      askedAt = performance.now();
      found = listMachineDevices().then((devices) => [{ host: hostname(), devices }]);
      found.catch(() => (found = null));
    }
    return found;
  };
}

/** Whether a machine has what a run asks for: what it has begun with, or else what was asked for. */
export function canTrain(machine: TrainingMachine, { engine, request }: Run): boolean {
  const [wanted = 'auto', device = 'auto'] =
    engine === null ? [request?.engine, request?.device] : [engine.name, engine.kind];
  return machine.devices.some((report) => report.usable && isAskedFor(report, wanted, device));
}

function isAskedFor(report: DeviceReport, engine: EngineChoice, device: DeviceChoice): boolean {
  return (engine === 'auto' || report.engine === engine) && (device === 'auto' || report.device === device);
}

/**
 * `device-unavailable` or `engine-unavailable` where what is asked for by name can be used on none of the machines. None at
 * all say nothing: one that can may come yet.
 */
export function requireDevice(machines: readonly TrainingMachine[], engine: EngineChoice, device: DeviceChoice): void {
  if (machines.length === 0) return;
  const asked = machines.flatMap(({ host, devices }) =>
    devices.filter((report) => isAskedFor(report, engine, device)).map((report) => ({ ...report, host })),
  );
  if (asked.some(({ usable }) => usable)) return;
  const faults = asked
    .map((each) => `${each.engine} on ${each.device} of ${each.host}: ${each.reason} (${each.remedy})`)
    .join('; ');
  if (device === 'auto') {
    throw new DomainError('engine-unavailable', `No device for the ${engine} engine: ${faults || 'nobody has it'}.`);
  }
  throw new DomainError(
    'device-unavailable',
    `The device ${device} cannot be used: ${faults || 'no engine knows it'}.`,
  );
}
