import type { DomainError } from '@atelier/domain';
import type { Log } from '@atelier/http';
import { nameOf } from './loaded-version.ts';
import type { ScannedModel } from './scan-repository.ts';
import type { TrafficObserver } from './traffic-observer.ts';

interface Listeners {
  log: Log;
  observer: TrafficObserver;
}

/** Says what a look into the folder found wrong, where the look `before` did not find the same. */
export function reportFaults(before: ScannedModel, now: ScannedModel, listeners: Listeners): void {
  const known = new Map(before.versions.map(({ number, fault }) => [number, fault?.message]));
  for (const { number, fault } of now.versions) {
    if (fault === null || known.get(number) === fault.message) continue;
    reportRefusal({ name: now.name, version: number }, fault, undefined, listeners);
  }
  const fault = now.labelsFault;
  if (fault === null || fault.message === before.labelsFault?.message) return;
  listeners.log.error({ code: fault.code }, `${fault.message} The labels that were read before hold.`);
}

/** Once for each code: while a file is being copied its digest is another one with every look, and that is one failure. */
export function reportRefusal(
  { name, version }: { name: string; version: number },
  fault: DomainError,
  before: DomainError | undefined,
  { log, observer }: Listeners,
): void {
  const { code, message } = fault;
  const line = `${nameOf({ name, version })} is not served: ${code}: ${message}`;
  if (code === before?.code) {
    log.debug({ code }, line);
    return;
  }
  log.error({ err: fault, code }, line);
  observer.refused({ name, version }, code);
}
