import { DomainError, messageOf } from '@atelier/domain';
import type { Log } from './log.ts';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/**
 * Starts a service, waits for SIGINT, SIGTERM or the end of a parent that forked it, closes it, and ends the process:
 * 0 when it closed, 1 when it could not start, or had not stopped `limitMs` after the signal, whatever it was doing
 * then. Further signals change nothing: a terminal's Ctrl-C reaches a child twice.
 */
export async function serveUntilSignal(
  log: Log,
  start: () => Promise<{ close(): Promise<void> }>,
  limitMs = 20_000,
): Promise<never> {
  const signalled = new Promise<string>((resolve) => {
    for (const signal of SIGNALS) process.on(signal, resolve);
    process.on('disconnect', () => resolve('disconnect')); // whoever forked us has died
  });
  void signalled.then((signal) => {
    log.info({ signal }, 'Stopping');
    setTimeout(() => {
      log.fatal(`Not stopped after ${limitMs} ms; giving up`);
      process.exit(1);
    }, limitMs);
  });
  try {
    const service = await start();
    await signalled;
    await service.close();
    log.info('Stopped');
  } catch (error) {
    // The message of a foreseen failure says it all.
    if (error instanceof DomainError) log.fatal({ code: error.code }, error.message);
    else log.fatal({ err: error }, messageOf(error));
    process.exit(1);
  }
  process.exit(0);
}
