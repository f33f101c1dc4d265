import { Distribution } from '@atelier/http';

/** How often the event loop is asked, in ms. */
const EVERY_MS = 20;

/** Of delays, in seconds. */
const DELAYS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/**
 * How late a timer comes, again and again: how long a request waits before anybody looks at it. A histogram that only
 * grows, where that of `node:perf_hooks` has quantiles since the start or since whoever asked last.
 */
export function watchEventLoop(): { delays: Distribution; stop(): void } {
  const delays = new Distribution(DELAYS);
  let due = performance.now() + EVERY_MS;
  const timer = setInterval(() => {
    const now = performance.now();
    delays.add(Math.max(0, now - due) / 1000);
    due = now + EVERY_MS;
  }, EVERY_MS);
  timer.unref();
  return { delays, stop: () => clearInterval(timer) };
}
