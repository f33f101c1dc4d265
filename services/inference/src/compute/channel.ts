import type { Duplex } from 'node:stream';
import { DomainError, ERROR_CODES } from '@atelier/domain';
import type { ToBulkDecoder } from './bulk-messages.ts';
import { type Frame, readFrames, writeFrame, writeFrameSoon } from './frames.ts';
import type { Answer, ToDecoder, ToEngine } from './messages.ts';

type Done = Extract<Answer, { kind: 'done' }>;
/** A message before it has its id. */
type Question<M> = M extends { id: number } ? Omit<M, 'id'> : never;

interface Waiting {
  resolve(frame: Frame<Done>): void;
  reject(error: Error): void;
  /** After how many more ticks as the first of those that wait its answer is overdue. */
  ticksLeft: number;
}

/** So often a channel asks itself whether an answer is overdue. */
const TICK_MS = 100;

/** Far more than any answer has; what announces more is out of its mind. */
const MAXIMUM_ANSWER_BYTES = 4 * 1024 * 1024;

/** How often whoever is asked is to show that it is there, while it works on what takes long. */
export interface Pulse {
  /** How long it may take to answer a ping, in ms; before its first answer it is still starting. */
  limitMs: number;
  startLimitMs: number;
  /**
   * How long it has waited for a core so far, in ms. That time is none of its own: replaced because the machine is busy, it would
   * make the machine busier.
   */
  waitedMs?(): number;
}

/** The id of a ping; there is one at a time. */
const PING_ID = 0;

/** Questions over a pipe to the compute process, and their answers in whatever order they come. */
export class Channel {
  readonly #pipe: Duplex;
  readonly #onFault: (what: string) => void;
  readonly #waiting = new Map<number, Waiting>();
  #ticking: NodeJS.Timeout | undefined;
  #lastId = 0;
  #failure: Error | undefined;
  readonly #pulse: Pulse | undefined;
  /** The ping without an answer, and what is left of its time; undefined: there is none. */
  #pending: { limitMs: number; leftMs: number } | undefined;
  /** As at the last look. */
  #waitedMs = 0;

  /**
   * `onFault` is called when an answer takes longer than its question allows, and when something comes that is no answer:
   * whoever is asked is stuck or out of its mind. With a `pulse` it is also called when a ping is not answered in time, of
   * which there is one while something waits.
   */
  constructor(pipe: Duplex, onFault: (what: string) => void, pulse?: Pulse) {
    this.#pipe = pipe;
    this.#onFault = onFault;
    this.#pulse = pulse;
    pipe.on('error', () => undefined); // the process has ended, and its exit says so
    const limits = { maximumBytes: MAXIMUM_ANSWER_BYTES, refuse: onFault };
    readFrames<Answer>(pipe, (frame) => this.#settle(frame), limits);
    if (pulse !== undefined) this.#ping(pulse.startLimitMs);
  }

  /**
   * Resolves to the answer; rejects with a DomainError where the failure has a code, `engine-fault` where it has none, and
   * the reason of `fail`, now or before. It is overdue when it has been the oldest without an answer for `limitMs`: what
   * is asked before it, such as to load a model, takes none of its time.
   */
  ask(
    question: Question<ToEngine> | Question<ToDecoder> | Question<ToBulkDecoder>,
    bytes: Uint8Array | undefined,
    limitMs: number,
  ) {
    return new Promise<Frame<Done>>((resolve, reject) => {
      if (this.#failure !== undefined) {
        reject(this.#failure);
        return;
      }
      const id = ++this.#lastId;
      this.#waiting.set(id, { resolve, reject, ticksLeft: Math.ceil(limitMs / TICK_MS) });
      this.#ticking ??= setInterval(() => this.#tick(), TICK_MS);
      // A batch is many requests already, and its engine waits.
      const write = question.kind === 'run' ? writeFrame : writeFrameSoon;
      write(this.#pipe, { ...question, id }, bytes);
    });
  }

  /** Nothing more will be answered, nor asked. */
  fail(error: Error): void {
    this.#failure = error;
    clearInterval(this.#ticking);
    for (const waiter of this.#waiting.values()) waiter.reject(error);
    this.#waiting.clear();
  }

  #settle({ head, bytes }: Frame<Answer>): void {
    if (head.id === PING_ID) {
      this.#pending = undefined;
      return;
    }
    // Who answers anything is there; the ping may stand behind megabytes of pictures.
    if (this.#pending !== undefined && this.#pulse !== undefined) this.#expectPing(this.#pulse.limitMs);
    const waiter = this.#waiting.get(head.id);
    if (waiter === undefined) return;
    this.#waiting.delete(head.id);
    if (this.#waiting.size === 0) {
      clearInterval(this.#ticking);
      this.#ticking = undefined;
    }
    if (head.kind === 'done') waiter.resolve({ head, bytes });
    else if (head.code !== undefined && ERROR_CODES.includes(head.code))
      waiter.reject(new DomainError(head.code, head.message));
    else {
      const cause = new Error(head.message);
      waiter.reject(new DomainError('engine-fault', 'The engine could not compute this request.', { cause }));
    }
  }

  /** Counts looks and not time: while the whole machine stood still, nobody was stuck. */
  #tick(): void {
    const [oldest] = this.#waiting.entries();
    if (oldest === undefined) return;
    const [id, waiter] = oldest;
    if (--waiter.ticksLeft === 0) this.#onFault(`it is stuck: question ${id} was not answered in time`);
    if (this.#pulse !== undefined) this.#lookForPing(this.#pulse);
  }

  #lookForPing(pulse: Pulse): void {
    const pending = this.#pending;
    if (pending === undefined) {
      this.#ping(pulse.limitMs);
      return;
    }
    const waitedMs = pulse.waitedMs?.() ?? 0;
    // Told when it has its core again, a wait may be longer than a tick: it gives back what was counted meanwhile.
    pending.leftMs = Math.min(pending.limitMs, pending.leftMs - TICK_MS + waitedMs - this.#waitedMs);
    this.#waitedMs = waitedMs;
    if (pending.leftMs <= 0) this.#onFault('it is stuck: a ping was not answered in time');
  }

  #expectPing(limitMs: number): void {
    this.#pending = { limitMs, leftMs: limitMs };
  }

  #ping(limitMs: number): void {
    this.#expectPing(limitMs);
    writeFrameSoon(this.#pipe, { id: PING_ID, kind: 'ping' });
  }
}
