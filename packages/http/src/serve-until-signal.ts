import { messageOf } from '@atelier/domain';
import type { Log } from './log.ts';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/**
 * Starts a service, waits for SIGINT, SIGTERM or the end of a parent that forked it, closes it, and ends the process: 0 when it closed, 1 when it could not
 * start or did not close within `limitMs`. Further signals change nothing: a terminal's Ctrl-C reaches a child twice.
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
  try {
    const service = await start();
    const signal = await signalled;
    log.info({ signal }, 'Stopping');
    setTimeout(() => {
      log.fatal(`Not stopped after ${limitMs} ms; giving up`);
      process.exit(1);
    }, limitMs).unref();
    await service.close();
    log.info('Stopped');
  } catch (error) {
    log.fatal({ err: error }, messageOf(error));
    process.exit(1);
  }
  process.exit(0);
}
