import { note } from './output.ts';

/** A signal within this time is the same Ctrl-C: a terminal sends it to a whole group, and npm passes it on once more. */
const SAME_KEYPRESS_MS = 1000;

/**
 * A signal that aborts at the first Ctrl-C or SIGTERM; a second one ends the process at once, with what listens to the
 * process's `exit` still done.
 */
export function interruptSignal(whatHappens: string): AbortSignal {
  const controller = new AbortController();
  let interruptedAt = Infinity;
  const interrupt = () => {
    if (performance.now() - interruptedAt > SAME_KEYPRESS_MS) process.exit(130); // 128 + SIGINT, as shells have it
    if (controller.signal.aborted) return;
    interruptedAt = performance.now();
    note(`\n${whatHappens}`);
    controller.abort();
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  return controller.signal;
}
