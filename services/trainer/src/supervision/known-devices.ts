import { DomainError } from '@atelier/domain';
import { type DeviceChoice, type EngineChoice, ENGINES } from '../engines/devices.ts';
import type { DeviceReport } from '../engines/list-devices.ts';
import { runErrand } from '../process/errand-process.ts';

/** What is plugged in or installed meanwhile is found after so long, in ms. */
const FRESH_MS = 60_000;

/** The engines and devices of this machine, tried in a process of their own and remembered for a while. */
export class KnownDevices {
  #reports: Promise<DeviceReport[]> | null = null;
  #askedAt = 0;

  list(): Promise<DeviceReport[]> {
    if (this.#reports === null || performance.now() - this.#askedAt > FRESH_MS) {
      this.#askedAt = performance.now();
      this.#reports = runErrand('devices', { engines: ENGINES });
      this.#reports.catch(() => (this.#reports = null));
    }
    return this.#reports;
  }

  /** `device-unavailable` or `engine-unavailable` where what is asked for by name cannot be used. */
  async require(engine: EngineChoice, device: DeviceChoice): Promise<void> {
    if (device === 'auto' && engine === 'auto') return; // the best that works is taken
    const asked = (await this.list()).filter(
      (report) => (engine === 'auto' || report.engine === engine) && (device === 'auto' || report.device === device),
    );
    if (asked.some(({ usable }) => usable)) return;
    const faults = asked.map((each) => `${each.engine} on ${each.device}: ${each.reason} (${each.remedy})`).join('; ');
    if (device === 'auto') {
      throw new DomainError('engine-unavailable', `The engine ${engine} can be used on no device here: ${faults}.`);
    }
    throw new DomainError('device-unavailable', `The device ${device} cannot be used here: ${faults}.`);
  }
}
