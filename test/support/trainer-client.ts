import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import type { EpochReport, NewRunBody, RunResource, RunState } from '@atelier/trainer';
import { createParser } from 'eventsource-parser';
import { until } from './until.ts';

/** What an answer may take: at the first run the engines of the machine are tried. */
const ANSWER_LIMIT_MS = 30_000;

/** What a run of a test may take on a busy machine. */
const RUN_LIMIT_MS = 300_000;

/** A client of the trainer's HTTP API; `url` says where the service listens now. */
export class TrainerClient {
  readonly #url: () => string;

  constructor(url: () => string) {
    this.#url = url;
  }

  request(path: string, options: RequestInit = {}): Promise<Response> {
    return fetch(`${this.#url()}${path}`, { signal: AbortSignal.timeout(ANSWER_LIMIT_MS), ...options });
  }

  post(path: string, body: unknown = {}): Promise<Response> {
    return this.request(path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
  }

  /** The id of the run that was made. */
  async submit(run: Partial<NewRunBody>): Promise<string> {
    return (await accepted(await this.post('/runs', run))).id;
  }

  async cancel(id: string): Promise<RunResource> {
    return accepted(await this.post(`/runs/${id}/cancel`));
  }

  async resume(id: string): Promise<RunResource> {
    return accepted(await this.post(`/runs/${id}/resume`));
  }

  async run(id: string): Promise<RunResource> {
    const response = await this.request(`/runs/${id}`);
    assert.equal(response.status, 200);
    return (await response.json()) as RunResource;
  }

  /** The run, once it is in one of the states; it may be away for a while. */
  async runIn(id: string, ...states: RunState[]): Promise<RunResource> {
    let run: RunResource | null = null;
    const isThere = async () => {
      run = await this.run(id).catch(() => null);
      return run !== null && states.includes(run.state);
    };
    await until(`run ${id} is ${states.join(' or ')}`, isThere, RUN_LIMIT_MS).catch((error: unknown) => {
      throw new Error(`It is ${JSON.stringify(run)}`, { cause: error });
    });
    assert.ok(run !== null);
    return run;
  }

  /** The run, once it has ended and its events say so: the state comes a moment before. */
  async runOver(id: string): Promise<RunResource> {
    const run = await this.runIn(id, 'finished', 'failed', 'cancelled');
    const stream = this.follow(id);
    await stream.ended();
    return run;
  }

  follow(id: string): EventStream {
    return new EventStream(() => `${this.#url()}/runs/${id}/events`);
  }
}

async function accepted(response: Response): Promise<RunResource> {
  const body: unknown = await response.json();
  assert.equal(response.status, 202, JSON.stringify(body));
  return body as RunResource;
}

/** An event as it came. */
export interface SeenEvent {
  id: number;
  name: string;
  data: Partial<EpochReport> & { at: string; recovery?: number; code?: string; message?: string };
}

/** How soon the stream is asked for again after it broke. */
const RETRY_MS = 100;

/** Follows a run's events as a browser's EventSource does: it comes back with Last-Event-ID until it is told not to. */
export class EventStream {
  readonly seen: SeenEvent[] = [];
  /** How often it broke and was asked for again. */
  breaks = 0;
  readonly #url: () => string;
  readonly #left = new AbortController();
  readonly #over: Promise<void>;
  #isOver = false;

  constructor(url: () => string) {
    this.#url = url;
    this.#over = this.#follow();
  }

  get names(): string[] {
    return this.seen.map(({ name }) => name);
  }

  count(name: string): number {
    return this.seen.filter((event) => event.name === name).length;
  }

  /** The first event of `name` that fits, from the `from`th event on. */
  async event(name: string, fits: (event: SeenEvent) => boolean = () => true, from = 0): Promise<SeenEvent> {
    const find = () => this.seen.slice(from).find((event) => event.name === name && fits(event));
    await until(`an event "${name}"`, () => find() !== undefined || this.#isOver, RUN_LIMIT_MS);
    const found = find();
    if (found === undefined) throw new Error(`No event "${name}" came: ${JSON.stringify(this.seen.slice(from))}`);
    return found;
  }

  /** Until the service says that nothing more will come. */
  async ended(): Promise<void> {
    await until('the events end', () => this.#isOver, RUN_LIMIT_MS);
    await this.#over;
  }

  async close(): Promise<void> {
    this.#left.abort();
    await this.#over;
  }

  async #follow(): Promise<void> {
    while (!this.#left.signal.aborted) {
      const isLast = await this.#readOnce().catch(() => false);
      if (isLast) break;
      this.breaks++;
      await pause(RETRY_MS, undefined, { signal: this.#left.signal }).catch(() => undefined);
    }
    this.#isOver = true;
  }

  /** Whether the service said not to come back. */
  async #readOnce(): Promise<boolean> {
    const last = this.seen.at(-1);
    const headers: Record<string, string> = last === undefined ? {} : { 'Last-Event-ID': String(last.id) };
    const response = await fetch(this.#url(), { headers, signal: this.#left.signal });
    if (response.status === 204) return true;
    if (response.status !== 200 || response.body === null) return false;
    const parser = createParser({
      onEvent: ({ id, event, data }) =>
        this.seen.push({ id: Number(id), name: event ?? '', data: JSON.parse(data) as SeenEvent['data'] }),
    });
    const decoder = new TextDecoder();
    for await (const chunk of response.body) parser.feed(decoder.decode(chunk as Uint8Array, { stream: true }));
    return false;
  }
}
