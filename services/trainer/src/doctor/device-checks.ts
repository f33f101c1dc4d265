import type { AskedDevice, Check, Finding } from '@atelier/doctor';
import { messageOf } from '@atelier/domain';
import { DEVICES, type Device, type EngineName, ENGINES } from '../engines/devices.ts';
import type { DeviceReport } from '../engines/list-devices.ts';
import { runErrand } from '../process/errand-process.ts';

/** Trains a small network with an engine on a device; rejects where the attempt ends its process. */
export type TryTraining = (engine: EngineName, device: Device) => Promise<DeviceReport>;

const inItsOwnProcess: TryTraining = (engine, device) =>
  runErrand('try-training', { engine, device }, { isQuiet: true });

/**
 * A real training with each engine on each device, each in a process of its own. On the device that was asked for one engine
 * must work; with `auto` one must on the processor.
 */
export function deviceChecks(asked: AskedDevice, tryTraining: TryTraining = inItsOwnProcess): Check[] {
  const wanted = asked === 'auto' ? 'cpu' : asked;
  const trials = new Map<string, Promise<Trial>>();
  const trial = (engine: EngineName, device: Device) => {
    const key = `${engine}-${device}`;
    const found = trials.get(key) ?? timed(() => tryTraining(engine, device));
    trials.set(key, found);
    return found;
  };
  const isUsable = async (device: Device) => {
    const tried = await Promise.all(ENGINES.map((engine) => trial(engine, device)));
    return tried.some(({ report }) => typeof report !== 'string' && report.usable);
  };
  return DEVICES.flatMap((device) =>
    ENGINES.toReversed().map((engine) => ({
      group: 'trainer',
      name: `training-${engine}-${device}`,
      examine: async () => {
        const { report, milliseconds } = await trial(engine, device);
        const isFault = device === wanted && !(await isUsable(device));
        return findingOf(report, milliseconds, { engine, device, asked: device === wanted }, isFault);
      },
    })),
  );
}

interface Trial {
  /** What came out, or in words how the process ended. */
  report: DeviceReport | string;
  milliseconds: number;
}

async function timed(work: () => Promise<DeviceReport>): Promise<Trial> {
  const started = performance.now();
  const report = await work().catch(messageOf);
  return { report, milliseconds: Math.round(performance.now() - started) };
}

function findingOf(
  report: DeviceReport | string,
  milliseconds: number,
  facts: Record<string, string | boolean>,
  isFault: boolean,
): Finding {
  if (typeof report !== 'string' && report.usable) {
    const summary = `trained a network on ${report.name} (${(milliseconds / 1000).toFixed(1)} s with the start)`;
    return { status: 'ok', summary, facts: { ...facts, usable: true, milliseconds } };
  }
  const { reason, remedy } = typeof report === 'string' ? { reason: report, remedy: null } : report;
  return {
    status: isFault ? 'fault' : 'note',
    summary: (reason ?? 'cannot be used').replace(/\.$/, ''),
    remedy: sentence(remedy ?? 'train on another device, and report these words, please'),
    facts: { ...facts, usable: false },
  };
}

function sentence(words: string): string {
  const isCommand = words.startsWith('npm ');
  return `${isCommand ? words : words.charAt(0).toUpperCase() + words.slice(1)}${words.endsWith('.') ? '' : '.'}`;
}
