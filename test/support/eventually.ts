import { setTimeout as pause } from 'node:timers/promises';

/** What `look` finds, once it finds something; fails after `limitMs`. */
export async function eventually<Found>(
  what: string,
  look: () => Promise<Found | null> | Found | null,
  limitMs = 60_000,
): Promise<Found> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const found = await look();
    if (found !== null) return found;
    if (performance.now() > deadline) throw new Error(`Not within ${limitMs} ms: ${what}`);
    await pause(20);
  }
}
