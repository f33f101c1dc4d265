import type { Server } from 'node:net';
import type { Log } from './log.ts';

/** Says so at most this often, in ms: whoever opens connections without end shall not fill the log. */
const DROPPED_EVERY_MS = 10_000;

/** Lets a server of any protocol have `maximum` connections at a time; one more is closed as it comes. */
export function limitConnections(server: Server, maximum: number, log: Log | undefined): void {
  server.maxConnections = maximum;
  let dropped = 0;
  let saidAt = -Infinity;
  server.on('drop', () => {
    dropped++;
    if (performance.now() - saidAt < DROPPED_EVERY_MS) return;
    log?.warn({ dropped }, `More than ${maximum} connections; the others are closed as they come`);
    saidAt = performance.now();
    dropped = 0;
  });
}
