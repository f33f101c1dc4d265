import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RunEvent } from '@atelier/trainer';

/** A time in which a process trained a run, in ms since 1970. */
export interface Attempt {
  startedAt: number;
  endedAt: number;
}

const ENDS = ['interrupted', 'finished', 'failed', 'cancelled'] as const;

/** Every event that stands in a run's folder. */
export async function eventsOf(directory: string): Promise<RunEvent[]> {
  const text = await readFile(join(directory, 'events.ndjson'), 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => RunEvent.parse(JSON.parse(line)));
}

/** When a run that is over was worked on; fails where it began a second time before it had ended the first. */
export function attemptsOf(events: readonly RunEvent[]): Attempt[] {
  const attempts: Attempt[] = [];
  let startedAt: number | null = null;
  for (const [index, { event, at }] of events.entries()) {
    if (event === 'started') {
      assert.equal(startedAt, null, `it was begun twice at once: ${story(events)}`);
      startedAt = Date.parse(at);
    } else if (isEnd(event) && startedAt !== null) {
      attempts.push({ startedAt, endedAt: Date.parse(at) });
      startedAt = null;
    } else if (event === 'epoch' && startedAt === null) {
      // What a process was killed before it could tell of, the next one tells before it begins.
      const next = events.slice(index).find((other) => !isOfEpoch(other.event));
      assert.equal(next?.event, 'started', `it was worked on after its end: ${story(events)}`);
    }
  }
  assert.equal(startedAt, null, `it has no end: ${story(events)}`);
  return attempts;
}

/** How many crashes a run has survived. */
export function crashesOf(events: readonly RunEvent[]): number {
  return events.filter(
    ({ event, data }) => event === 'interrupted' && 'code' in data && data.code === 'training-crashed',
  ).length;
}

/** The largest number of attempts that were under way at the same time. */
export function mostAtOnce(attempts: readonly Attempt[]): number {
  const at = ({ startedAt }: Attempt) =>
    attempts.filter((other) => other.startedAt <= startedAt && startedAt < other.endedAt).length;
  return Math.max(0, ...attempts.map(at));
}

function isEnd(event: string): boolean {
  return (ENDS as readonly string[]).includes(event);
}

function isOfEpoch(event: string): boolean {
  return event === 'epoch' || event === 'checkpoint';
}

/** Without what happens between two epochs. */
function story(events: readonly RunEvent[]): string {
  return events
    .filter(({ event }) => event !== 'step')
    .map(({ event, at }) => `${at} ${event}`)
    .join(', ');
}
