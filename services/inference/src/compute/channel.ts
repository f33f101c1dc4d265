import type { Duplex } from 'node:stream';
import { DomainError } from '@atelier/domain';
import { type Frame, readFrames, writeFrameSoon } from './frames.ts';
import type { Answer, ToDecoder, ToEngine } from './messages.ts';

type Done = Extract<Answer, { kind: 'done' }>;
/** A message before it has its id. */
type Question<M> = M extends { id: number } ? Omit<M, 'id'> : never;

interface Waiting {
  resolve(frame: Frame<Done>): void;
  reject(error: Error): void;
  /** After how many more ticks its answer is overdue. */
  ticksLeft: number;
}

/** So often a channel asks itself whether an answer is overdue. */
const TICK_MS = 100;

/** Questions over a pipe to the compute process, and their answers in whatever order they come. */
export class Channel {
  readonly #pipe: Duplex;
  readonly #onOverdue: (what: string) => void;
  readonly #waiting = new Map<number, Waiting>();
  #ticking: NodeJS.Timeout | undefined;
  #lastId = 0;

  /** `onOverdue` is called when an answer takes longer than its question allows: whoever is asked is stuck. */
  constructor(pipe: Duplex, onOverdue: (what: string) => void) {
    this.#pipe = pipe;
    this.#onOverdue = onOverdue;
    pipe.on('error', () => undefined); // the process has ended, and its exit says so
    readFrames<Answer>(pipe, (frame) => this.#settle(frame));
  }

  /**
   * Resolves to the answer; rejects with a DomainError where the failure has a code, `engine-fault` where it has none, and
   * the reason of `fail`. After `limitMs` it is overdue.
   */
  ask(question: Question<ToEngine> | Question<ToDecoder>, bytes: Uint8Array | undefined, limitMs: number) {
    return new Promise<Frame<Done>>((resolve, reject) => {
      const id = ++this.#lastId;
      this.#waiting.set(id, { resolve, reject, ticksLeft: Math.ceil(limitMs / TICK_MS) });
      this.#ticking ??= setInterval(() => this.#tick(), TICK_MS);
      writeFrameSoon(this.#pipe, { ...question, id }, bytes);
    });
  }

  /** Nothing more will be answered. */
  fail(error: Error): void {
    clearInterval(this.#ticking);
    for (const waiter of this.#waiting.values()) waiter.reject(error);
    this.#waiting.clear();
  }

  #settle({ head, bytes }: Frame<Answer>): void {
    const waiter = this.#waiting.get(head.id);
    if (waiter === undefined) return;
    this.#waiting.delete(head.id);
    if (this.#waiting.size === 0) {
      clearInterval(this.#ticking);
      this.#ticking = undefined;
    }
    if (head.kind === 'done') waiter.resolve({ head, bytes });
    else if (head.code !== undefined) waiter.reject(new DomainError(head.code, head.message));
    else {
      const cause = new Error(head.message);
      waiter.reject(new DomainError('engine-fault', 'The engine could not compute this request.', { cause }));
    }
  }

  /** Counts looks and not time: while the whole machine stood still, nobody was stuck. */
  #tick(): void {
    for (const [id, waiter] of this.#waiting) {
      if (--waiter.ticksLeft === 0) this.#onOverdue(`question ${id} was not answered in time`);
    }
  }
}
