import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { createParser } from 'eventsource-parser';
import { eventually } from './eventually.ts';

export interface ReceivedEvent {
  id: number;
  event: string;
  data: Record<string, unknown>;
}

/** A client of server-sent events, on a connection of its own. */
export interface EventStream {
  status: number;
  headers: IncomingMessage['headers'];
  /** So far. */
  events: ReceivedEvent[];
  comments: string[];
  /** Milliseconds, as the stream asked for it. */
  retry: number | null;
  /** Whether the server has ended it. */
  isOver: boolean;
  /** As soon as so many events have come. */
  received(count: number): Promise<void>;
  /** As soon as the server has ended it. */
  over(): Promise<void>;
  /** Takes nothing more from the connection, or goes on. */
  pause(): void;
  resume(): void;
  /** Leaves. */
  leave(): void;
}

export async function followEvents(url: string, lastEventId?: number | string): Promise<EventStream> {
  const headers = lastEventId === undefined ? {} : { 'Last-Event-ID': String(lastEventId) };
  const request = get(url, { agent: false, headers });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.on('error', () => undefined); // the server or we have left
  const stream: EventStream = {
    status: response.statusCode ?? 0,
    headers: response.headers,
    events: [],
    comments: [],
    retry: null,
    isOver: false,
    async received(count) {
      await eventually(`${count} events`, () => (stream.events.length >= count ? true : null), 20_000);
    },
    async over() {
      await eventually('the end of the stream', () => (stream.isOver ? true : null), 20_000);
    },
    pause: () => response.pause(),
    resume: () => response.resume(),
    leave: () => request.destroy(),
  };
  const parser = createParser({
    onEvent: ({ id, event, data }) =>
      stream.events.push({ id: Number(id), event: event ?? '', data: JSON.parse(data) as ReceivedEvent['data'] }),
    onComment: (comment) => stream.comments.push(comment),
    onRetry: (interval) => (stream.retry = interval),
  });
  response.setEncoding('utf8');
  response.on('data', (text: string) => parser.feed(text));
  response.once('end', () => (stream.isOver = true));
  return stream;
}
