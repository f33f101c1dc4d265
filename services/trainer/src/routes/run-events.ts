import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { hasCode } from '@atelier/domain';
import { InvalidRequest, methodNotAllowed, RetryLater } from '@atelier/http';
import { type Request, type Response, Router } from 'express';
import { EventReader, type NumberedLine } from '../runs/event-reader.ts';
import { eventsPath, parseEvent } from '../runs/event-log.ts';
import { isEndTold } from '../runs/latest-events.ts';
import { isFinal } from '../runs/run-states.ts';
import type { RunStore, StoredRun } from '../runs/run-store.ts';
import { withRunFolder } from '../runs/with-run-folder.ts';

export interface EventsRouteParts {
  store: RunStore;
  /** Ends all streams: their clients come back to whoever serves next. */
  closing: AbortSignal;
  /** How often a stream looks for what is new, in ms. */
  pollMs?: number;
  /** How often a stream without events says that it is there, in ms: proxies end connections that are silent. */
  heartbeatMs?: number;
  maximumStreams?: number;
}

/** How soon a client whose stream broke comes back, in ms. */
const RETRY_MS = 1000;

/**
 * `GET /runs/<id>/events`: server-sent events (HTML standard, section 9.2), from the run's first or from the one after
 * `Last-Event-ID` on, until the run has ended. An event's id is its line in the run's `events.ndjson`, so whoever serves
 * it continues where another stopped. A client that has seen the last one gets 204, which tells it not to come back.
 */
export function runEventsRoute({
  store,
  closing,
  pollMs = 200,
  heartbeatMs = 15_000,
  maximumStreams = 500,
}: EventsRouteParts): Router {
  let streams = 0;
  const router = Router();
  router
    .route('/runs/:id/events')
    .get(async (request, response) => {
      const left = new AbortController();
      response.once('close', () => left.abort()); // at once: it comes only once, whatever we wait for
      const stored = await store.find(request.params.id);
      const lastId = lastEventId(request);
      if (streams >= maximumStreams)
        throw new RetryLater('too-many-streams', `${streams} streams are open, as many as may.`);
      const reader = new EventReader(eventsPath(stored.directory));
      streams++;
      try {
        await reader.skip(lastId);
        refuseUnknown(lastId, reader.lines);
        if (request.method === 'HEAD') response.type('text/event-stream').end();
        else await send(stored, reader, response, AbortSignal.any([left.signal, closing]));
      } finally {
        streams--;
        await reader.close();
      }
    })
    .all(methodNotAllowed('GET', 'HEAD'));
  return router;

  async function send({ id }: StoredRun, reader: EventReader, response: Response, ending: AbortSignal): Promise<void> {
    let spokeAt = performance.now();
    let isOver = false;
    while (!ending.aborted) {
      isOver ||= await hasEnded(store, id); // asked before the events are read: none can come after
      const lines = await reader.next();
      if (lines.length === 0 && isOver) break;
      if (!response.headersSent && (lines.length > 0 || !isOver)) begin(response);
      const isSilent = lines.length === 0 && performance.now() - spokeAt > heartbeatMs;
      const text = isSilent ? ': the run goes on\n\n' : lines.map(eventText).join('');
      if (text !== '') {
        spokeAt = performance.now();
        if (!response.write(text)) await drained(response, ending);
      }
      if (lines.length === 0) await pause(pollMs, undefined, { signal: ending }).catch(() => undefined);
    }
    if (!response.headersSent && isOver) {
      response.status(204).end();
    } else {
      if (!response.headersSent) begin(response); // we stop: 204 would tell the client never to come back
      response.end();
    }
  }
}

function begin(response: Response): void {
  response.set({ 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' });
  response.write(`retry: ${RETRY_MS}\n\n`);
}

/** Whether nothing will happen any more that is not told yet; what a crash left untold is told first. */
async function hasEnded(store: RunStore, id: string): Promise<boolean> {
  const stored = await store.find(id).catch(() => null);
  if (stored?.run == null) return true; // deleted, or damaged
  if (!isFinal(stored.state)) return false;
  if (await isEndTold(stored.directory, stored.state)) return true;
  try {
    await withRunFolder(stored.directory, 0, () => Promise.resolve());
    return true;
  } catch (error) {
    return !hasCode(error, 'run-in-use'); // its process is about to tell it
  }
}

/** Nothing of a line that was edited by hand; the others keep their ids. */
function eventText({ id, line }: NumberedLine): string {
  const told = parseEvent(line);
  if (told === null) return '';
  const { at, event, data } = told;
  return `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify({ at, ...data })}\n\n`;
}

/** Until the client has taken what was written, or is gone. */
async function drained(response: Response, ending: AbortSignal): Promise<void> {
  await once(response, 'drain', { signal: ending }).catch(() => undefined);
}

/** 0 where the client has seen none. */
function lastEventId(request: Request): number {
  const text = request.get('Last-Event-ID') ?? '0';
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidRequest('The Last-Event-ID is none of this run.', [
    { parameter: 'Last-Event-ID', detail: 'expected the id of an event of this run, a whole number' },
  ]);
}

function refuseUnknown(lastId: number, lines: number): void {
  if (lastId <= lines) return;
  throw new InvalidRequest('The Last-Event-ID is none of this run.', [
    { parameter: 'Last-Event-ID', detail: `expected at most ${lines}, the run's last event; came ${lastId}` },
  ]);
}
