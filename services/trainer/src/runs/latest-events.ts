import { open } from 'node:fs/promises';
import { eventsPath, parseEvent, type RunEventData } from './event-log.ts';
import { EventReader } from './event-reader.ts';
import type { RunState } from './run-states.ts';

/** Lines of some hundred bytes: the last step and the last epoch are surely among them. */
const TAIL_BYTES = 16 * 1024;

export interface LatestEvents {
  step: RunEventData<'step'> | null;
  epoch: RunEventData<'epoch'> | null;
}

/** The last step and the last epoch that a run told of; null for what it did not come to, lately. */
export async function readLatestEvents(directory: string): Promise<LatestEvents> {
  const latest: LatestEvents = { step: null, epoch: null };
  for (const line of await lastLines(directory)) {
    const { event, data } = parseEvent(line) ?? {};
    if (event === 'step') latest.step = data as RunEventData<'step'>;
    if (event === 'epoch') latest.epoch = data as RunEventData<'epoch'>;
  }
  return latest;
}

/**
 * Whether the last event tells that a run has ended in `state`; what is published has been finished before. Also true of a
 * run of a time when they told nothing.
 */
export async function isEndTold(directory: string, state: RunState): Promise<boolean> {
  const last = (await lastLines(directory)).at(-1);
  if (last === undefined) return true;
  const event = parseEvent(last)?.event;
  return event === state || event === 'published';
}

/** The last epoch that the events tell of, 0 before the first; null where there are no events. */
export async function lastEpochTold(directory: string): Promise<number | null> {
  const reader = new EventReader(eventsPath(directory));
  let told: number | null = null;
  try {
    for (let lines = await reader.next(); lines.length > 0; lines = await reader.next()) {
      for (const { line } of lines) {
        const { event, data } = parseEvent(line) ?? {};
        told = event === 'checkpoint' ? (data as RunEventData<'checkpoint'>).epoch : (told ?? 0);
      }
    }
    return told;
  } finally {
    await reader.close();
  }
}

/** The last lines that have their end; the first of them may be a part of one. */
async function lastLines(directory: string): Promise<string[]> {
  return (await readTail(eventsPath(directory))).split('\n').slice(0, -1);
}

async function readTail(path: string): Promise<string> {
  const file = await open(path, 'r').catch(() => null);
  if (file === null) return '';
  try {
    const { size } = await file.stat();
    const { buffer, bytesRead } = await file.read(
      Buffer.alloc(TAIL_BYTES),
      0,
      TAIL_BYTES,
      Math.max(0, size - TAIL_BYTES),
    );
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}
