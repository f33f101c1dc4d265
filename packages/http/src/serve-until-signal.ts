import { DomainError, messageOf } from '@atelier/domain';
import type { Log } from './log.ts';

/** What a service is told by those who stop it: by signal, or as a message `{ stop }` by the program that forked it. */
export type StopSignal = 'SIGINT' | 'SIGTERM';

/** A service that runs. */
export interface Closable {
  /** How long it goes on serving after SIGTERM, in ms. Default: 0. */
  graceMs?: number;
  /** Stops, after `graceMs` in which it serves on; default: its own. Rejects where not everything ended by itself. */
  close(graceMs?: number): Promise<void>;
}

/** How long a service may take to stop after its grace period, in ms; whoever stops it must wait longer before it kills. */
export const STOP_LIMIT_MS = 20_000;

/** 128 and the number of SIGTERM, as a shell has it. */
const TERMINATED = 143;

/**
 * Starts a service, waits for a signal or the end of a parent that forked it, closes it, and ends the process: 0 when it
 * closed; 1 when it could not start, when its closing failed, or when it had not stopped `limitMs` after it should have,
 * whatever it was doing then.
 * SIGTERM comes from a program, which sends nobody here any more once it has seen that the service is not ready: the
 * service serves on for its grace period. SIGINT, and the end of the parent, skip that: who presses Ctrl-C waits.
 * A second SIGTERM ends the process at once, with 143. Any other further signal changes nothing: a terminal's Ctrl-C
 * reaches a child twice.
 */
export async function serveUntilSignal(
  log: Log,
  start: () => Promise<Closable>,
  limitMs = STOP_LIMIT_MS,
): Promise<never> {
  const { signalled, isStopping } = listenForSignals(log);
  let service: Closable | undefined;
  void signalled.then((signal) => {
    log.info({ signal }, 'Stopping');
    const graceMs = signal === 'SIGTERM' ? (service?.graceMs ?? 0) : 0;
    setTimeout(() => {
      log.fatal(`Not stopped after ${graceMs + limitMs} ms; giving up`);
      process.exit(1);
    }, graceMs + limitMs);
  });
  try {
    const started = await start();
    if (!isStopping()) service = started;
    const signal = await signalled;
    await started.close(signal === 'SIGTERM' && service !== undefined ? service.graceMs : 0);
    log.info('Stopped');
  } catch (error) {
    // The message of a foreseen failure says it all.
    if (error instanceof DomainError) log.fatal({ code: error.code }, error.message);
    else log.fatal({ err: error }, messageOf(error));
    process.exit(1);
  }
  process.exit(0);
}

function listenForSignals(log: Log) {
  let stopping = false;
  let terminations = 0;
  const signalled = new Promise<StopSignal | 'disconnect'>((resolve) => {
    const take = (signal: StopSignal) => {
      if (signal === 'SIGTERM' && ++terminations === 2) {
        log.warn('SIGTERM came again; ending at once');
        process.exit(TERMINATED);
      }
      stopping = true;
      resolve(signal);
    };
    process.on('SIGINT', take).on('SIGTERM', take);
    process.on('message', (message) => {
      const { stop } = Object(message) as { stop?: unknown };
      if (stop === 'SIGINT' || stop === 'SIGTERM') take(stop);
    });
    process.on('disconnect', () => resolve('disconnect')); // whoever forked us has died
  });
  return { signalled, isStopping: () => stopping };
}
