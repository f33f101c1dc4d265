import { parseArgs } from 'node:util';
import { messageOf } from '@atelier/domain';
import { type Check, examine } from './check.ts';
import { renderCheck, renderVerdict } from './render.ts';
import { ASKED_DEVICES, AskedDevice, type CheckResult, DoctorReport } from './report.ts';

export interface DoctorOptions {
  device: AskedDevice;
  /** One JSON value at the end instead of lines. */
  json: boolean;
}

/** Where the report goes. */
export interface Output {
  write(text: string): unknown;
  /** Of a terminal. */
  hasColors?(): boolean;
}

/** 0: everything that was asked for can be used; 1: something cannot; 2: used wrongly. */
export type DoctorExit = 0 | 1 | 2;

/** Examines and prints, line by line as it becomes known; resolves to the exit code. */
export async function runDoctor(
  checks: readonly Check[],
  { device, json }: DoctorOptions,
  output: Output,
): Promise<DoctorExit> {
  const isColoured = output.hasColors?.() ?? false;
  const results: CheckResult[] = [];
  for await (const result of examine(checks)) {
    if (!json) {
      if (results.at(-1)?.group !== result.group) output.write(`${results.length > 0 ? '\n' : ''}${result.group}\n`);
      output.write(`${renderCheck(result, isColoured)}\n`);
    }
    results.push(result);
  }
  const usable = results.every(({ status }) => status !== 'fault');
  const report = DoctorReport.parse({ usable, device, checks: results });
  output.write(json ? `${JSON.stringify(report, null, 2)}\n` : `\n${renderVerdict(report)}\n`);
  return usable ? 0 : 1;
}

/**
 * The same for a service's own command line, `--doctor [--json] [--device NAME]`; without the last, the variable DEVICE
 * says what is asked for, and without that it is `auto`.
 */
export async function runServiceDoctor(
  words: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  doctorFor: (environment: Readonly<Record<string, string | undefined>>) => (device: AskedDevice) => readonly Check[],
  output: Output = process.stdout,
): Promise<DoctorExit> {
  const read = () => {
    const options = { doctor: { type: 'boolean' }, json: { type: 'boolean' }, device: { type: 'string' } } as const;
    const { json = false, device } = parseArgs({ args: [...words], options }).values;
    return { json, device: askedDevice(device, environment) };
  };
  try {
    const options = read();
    return await runDoctor(doctorFor(environment)(options.device), options, output);
  } catch (error) {
    process.stderr.write(`--doctor: ${messageOf(error)}\n`);
    return 2;
  }
}

/** What an option says, or else the variable DEVICE. A name that there is not is an error that lists those there are. */
export function askedDevice(
  option: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): AskedDevice {
  const name = option ?? (environment['DEVICE'] === '' ? undefined : environment['DEVICE']) ?? 'auto';
  const device = AskedDevice.safeParse(name);
  if (device.success) return device.data;
  throw new RangeError(`No device "${name}"; there is: ${ASKED_DEVICES.join(', ')}.`);
}
