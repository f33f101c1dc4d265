import type { AskedDevice, Check, Finding } from '@atelier/doctor';
import { messageOf } from '@atelier/domain';
import { deviceFaultOf } from '../compute/device-faults.ts';
import { tryDeviceAlone } from '../compute/try-device.ts';
import { type Device, DEVICES } from '../predictor/predictor.ts';

/**
 * A real run on every device, one process after the other. The device that was asked for must work; with `auto` the
 * processor must.
 */
export function deviceChecks(asked: AskedDevice, entry?: string): Check[] {
  let last: Promise<unknown> = Promise.resolve();
  return DEVICES.map((device) => ({
    group: 'inference',
    name: `inference-${device}`,
    examine: () => {
      const finding = last.then(() => examineDevice(device, asked, entry));
      last = finding;
      return finding;
    },
  }));
}

async function examineDevice(device: Device, asked: AskedDevice, entry: string | undefined): Promise<Finding> {
  const started = performance.now();
  const facts = { device, asked: device === (asked === 'auto' ? 'cpu' : asked) };
  try {
    await tryDeviceAlone(device, entry);
    const milliseconds = Math.round(performance.now() - started);
    const summary = `computed an image (${(milliseconds / 1000).toFixed(1)} s with the start)`;
    return { status: 'ok', summary, facts: { ...facts, usable: true, milliseconds } };
  } catch (error) {
    const { summary, remedy } = inWords(device, messageOf(error));
    return { status: facts.asked ? 'fault' : 'note', summary, remedy, facts: { ...facts, usable: false } };
  }
}

function inWords(device: Device, message: string): { summary: string; remedy: string } {
  if (device === 'cpu') {
    return { summary: message, remedy: 'Install onnxruntime-node anew: npm ci. The lines above say what it needs.' };
  }
  const { kind, words, remedy } = deviceFaultOf(device, message);
  return { summary: `${kind}: ${words}`, remedy };
}
