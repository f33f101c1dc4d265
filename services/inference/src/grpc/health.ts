import type { Server } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import { SERVICE_NAME } from './service.ts';

/** How long whoever watches may be behind; who asks is told what is so at that moment. */
const WATCH_INTERVAL_MS = 200;

/**
 * The health of the server ("") and of its one service, as `grpc.health.v1` has it
 * (https://github.com/grpc/grpc/blob/master/doc/health-checking.md).
 */
export class Health {
  readonly #isReady: () => boolean;
  readonly #implementation: HealthImplementation;
  readonly #interval: NodeJS.Timeout;
  #wasReady: boolean;

  constructor(isReady: () => boolean) {
    this.#isReady = isReady;
    this.#wasReady = isReady();
    const status = statusOf(this.#wasReady);
    this.#implementation = new HealthImplementation({ '': status, [SERVICE_NAME]: status });
    this.#interval = setInterval(() => this.refresh(), WATCH_INTERVAL_MS);
    this.#interval.unref();
  }

  addTo(server: Server): void {
    this.#implementation.addToServer(server);
  }

  /** Looks whether the service is ready; whoever watches is told of a change. */
  refresh(): void {
    const ready = this.#isReady();
    if (ready === this.#wasReady) return;
    this.#wasReady = ready;
    for (const name of ['', SERVICE_NAME]) this.#implementation.setStatus(name, statusOf(ready));
  }

  close(): void {
    clearInterval(this.#interval);
  }
}

function statusOf(ready: boolean) {
  return ready ? 'SERVING' : 'NOT_SERVING';
}
