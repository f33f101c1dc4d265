import { open } from 'node:fs/promises';
import { type RunEventData, type RunEventName } from './event-log.ts';
import { eventsPath } from './run-events.ts';

/** Lines of some hundred bytes: the last step and the last epoch are surely among them. */
const TAIL_BYTES = 16 * 1024;

export interface LatestEvents {
  step: RunEventData<'step'> | null;
  epoch: RunEventData<'epoch'> | null;
}

/** The last step and the last epoch that a run told of; null for what it did not come to, lately. */
export async function readLatestEvents(directory: string): Promise<LatestEvents> {
  const latest: LatestEvents = { step: null, epoch: null };
  for (const { event, data } of parsed(await readTail(eventsPath(directory)))) {
    if (event === 'step') latest.step = data as RunEventData<'step'>;
    if (event === 'epoch') latest.epoch = data as RunEventData<'epoch'>;
  }
  return latest;
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

/** The whole lines of a piece of the file. */
function parsed(text: string): { event: RunEventName; data: unknown }[] {
  return text.split('\n').flatMap((line) => {
    try {
      return [JSON.parse(line) as { event: RunEventName; data: unknown }];
    } catch {
      return []; // the piece begins inside it
    }
  });
}
