import { note } from './output.ts';

/** A signal that aborts at the first Ctrl-C or SIGTERM; the second ends the process at once. */
export function interruptSignal(whatHappens: string): AbortSignal {
  const controller = new AbortController();
  const interrupt = () => {
    if (controller.signal.aborted) process.exit(130); // 128 + SIGINT, as shells have it
    note(`\n${whatHappens}`);
    controller.abort();
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  return controller.signal;
}
