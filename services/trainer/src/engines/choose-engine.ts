import { DomainError } from '@atelier/domain';
import type { EngineFactory } from '../training-engine.ts';
import { type Candidate, CANDIDATES } from './candidates.ts';
import {
  type Device,
  DEVICE_CHOICES,
  type DeviceChoice,
  ENGINE_CHOICES,
  type EngineChoice,
  type EngineName,
} from './devices.ts';

export interface ChosenEngine {
  name: EngineName;
  device: Device;
  create: EngineFactory;
  /** Why this one and none before it, for the log, the run and the manifest. */
  reason: string;
}

/** `unknown-engine` lists the engines there are. */
export function parseEngineChoice(name: string): EngineChoice {
  const choice = ENGINE_CHOICES.find((candidate) => candidate === name);
  if (choice !== undefined) return choice;
  throw new DomainError('unknown-engine', `No engine "${name}"; there is: ${ENGINE_CHOICES.join(', ')}.`);
}

/** `unknown-device` lists the devices there are. */
export function parseDeviceChoice(name: string): DeviceChoice {
  const choice = DEVICE_CHOICES.find((candidate) => candidate === name);
  if (choice !== undefined) return choice;
  throw new DomainError('unknown-device', `No device "${name}"; there is: ${DEVICE_CHOICES.join(', ')}.`);
}

/**
 * The first candidate that works here among those that were asked for. A device that was asked for is never replaced by
 * another: `device-unavailable` says what is missing. `engine-unavailable` where the engine works on no device.
 */
export async function chooseEngine(
  engine: EngineChoice,
  device: DeviceChoice = 'auto',
  candidates: readonly Candidate[] = CANDIDATES,
): Promise<ChosenEngine> {
  const passedOver: { candidate: Candidate; reason: string }[] = [];
  for (const candidate of candidates.filter((each) => isAskedFor(each, engine, device))) {
    const probe = await candidate.probe();
    if (!probe.usable) {
      passedOver.push({ candidate, reason: probe.reason });
      continue;
    }
    const why = engine === 'auto' && device === 'auto' ? 'the best here' : 'asked for';
    const others = [
      ...passedOver.map((each) => `${labelOf(each.candidate)} (${each.reason})`),
      ...probe.passedOver.map((reason) => `${candidate.engine} on ${candidate.device} (${reason})`),
    ];
    const instead = others.length > 0 ? `; not ${others.join(', ')}` : '';
    return {
      name: candidate.engine,
      device: candidate.device,
      create: probe.create,
      reason: `${candidate.engine} on ${probe.device}, ${why}${instead}`,
    };
  }
  const faults = passedOver
    .map(({ candidate, reason }) => `${labelOf(candidate)}: ${reason} (${candidate.remedy})`)
    .join('; ');
  if (device === 'auto') throw new DomainError('engine-unavailable', `No device for the ${engine} engine: ${faults}.`);
  throw new DomainError('device-unavailable', `The device ${device} cannot be used here: ${faults}.`);
}

/** `invalid-configuration` where a number of threads was asked for and `engine` has none to choose. */
export function refuseThreads({ name, device, reason }: ChosenEngine, threads: number | null): void {
  if (threads === null || (name === 'onnx' && device === 'cpu')) return;
  throw new DomainError(
    'invalid-configuration',
    `${threads} threads were asked for; only the ONNX engine on the CPU has a number of threads to choose ` +
      `(--engine onnx --device cpu). The engine would be ${reason}.`,
  );
}

function isAskedFor(candidate: Candidate, engine: EngineChoice, device: DeviceChoice): boolean {
  if (engine !== 'auto' && candidate.engine !== engine) return false;
  return device === 'auto' ? candidate.automaticFor.includes(engine) : candidate.device === device;
}

function labelOf({ engine, device }: Candidate): string {
  return `${engine} on ${device}`;
}
