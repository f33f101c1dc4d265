import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { DomainError, messageOf, type ModelReference } from '@atelier/domain';
import type { EvaluationReport } from '@atelier/evaluation';
import { type Log, tellFailure } from '@atelier/http';
import type { EvaluationState, EvaluationSummary } from '../contract/evaluate.ts';
import type { Progress } from './evaluate.ts';

/** A finished evaluation is of no use to anybody after an hour. */
const KEPT_MS = 60 * 60 * 1000;

/** How an evaluation works: it tells how far it is, and gives up when its signal aborts. */
export type Work = (signal: AbortSignal, onProgress: (progress: Progress) => void) => Promise<EvaluationReport>;

/** An evaluation for which no request waits. */
export class StoredEvaluation {
  readonly id = randomUUID();
  readonly createdAt = new Date();
  readonly model: ModelReference;
  /** Tells of each `change`. */
  readonly events = new EventEmitter().setMaxListeners(0);
  readonly ended: Promise<void>;
  readonly #cancel = new AbortController();
  #state: EvaluationState = 'running';
  #finishedAt: Date | null = null;
  #progress: Progress;
  #report: EvaluationReport | null = null;
  #problem: EvaluationSummary['problem'] = null;
  #changes = 1;

  constructor(model: ModelReference, total: number, work: Work, log: Log) {
    this.model = model;
    this.#progress = { examples: 0, skipped: 0, total };
    const told = (progress: Progress) => {
      this.#progress = progress;
      this.#change();
    };
    this.ended = work(this.#cancel.signal, told).then(
      (report) => {
        this.#report = report;
        this.#finish('done');
      },
      (error: unknown) => this.#fail(error, log),
    );
  }

  get state(): EvaluationState {
    return this.#state;
  }

  get report(): EvaluationReport | null {
    return this.#report;
  }

  /** When it ended, in ms since 1970; infinity while it runs. */
  get finishedMs(): number {
    return this.#finishedAt?.getTime() ?? Infinity;
  }

  /** Counts what was told of it. */
  get changes(): number {
    return this.#changes;
  }

  summary(): EvaluationSummary {
    return {
      id: this.id,
      state: this.#state,
      model: this.model,
      createdAt: this.createdAt.toISOString(),
      finishedAt: this.#finishedAt?.toISOString() ?? null,
      progress: this.#progress,
      problem: this.#problem,
    };
  }

  /** Resolves when its upload is gone and another may begin; one that has ended stays what it is. */
  async cancel(): Promise<void> {
    this.#cancel.abort(new Error('Cancelled.'));
    await this.ended;
  }

  #fail(error: unknown, log: Log): void {
    if (this.#cancel.signal.aborted) {
      this.#finish('cancelled');
      return;
    }
    const { type, title, status, detail } = tellFailure(error);
    if (status === 500) log.error({ err: error, evaluation: this.id }, messageOf(error));
    this.#problem = { type, title, status, ...(detail !== undefined && { detail }) };
    this.#finish('failed');
  }

  #finish(state: EvaluationState): void {
    this.#state = state;
    this.#finishedAt = new Date();
    this.#change();
  }

  #change(): void {
    this.#changes++;
    this.events.emit('change');
  }
}

/** The evaluations that run without a request, and the last ones that have ended: in memory, and gone with the process. */
export class Evaluations {
  readonly #kept: number;
  readonly #log: Log;
  /** The oldest first. */
  readonly #all = new Map<string, StoredEvaluation>();

  constructor(kept: number, log: Log) {
    this.#kept = kept;
    this.#log = log;
  }

  start(model: ModelReference, total: number, work: Work): StoredEvaluation {
    const evaluation = new StoredEvaluation(model, total, work, this.#log);
    this.#all.set(evaluation.id, evaluation);
    void evaluation.ended.then(() => this.#forgetOld());
    return evaluation;
  }

  /** Newest first. */
  list(): StoredEvaluation[] {
    this.#forgetOld();
    return [...this.#all.values()].reverse();
  }

  /** `evaluation-not-found`, also for one that is no longer kept. */
  find(id: string): StoredEvaluation {
    this.#forgetOld();
    const evaluation = this.#all.get(id);
    if (evaluation !== undefined) return evaluation;
    throw new DomainError('evaluation-not-found', `There is no evaluation "${id.slice(0, 64)}", or no longer.`);
  }

  /** Cancels one that runs, which is kept as cancelled; forgets one that has ended. */
  async remove(id: string): Promise<void> {
    const evaluation = this.find(id);
    if (evaluation.state === 'running') await evaluation.cancel();
    else this.#all.delete(id);
  }

  #forgetOld(): void {
    const finished = [...this.#all.values()].filter(({ state }) => state !== 'running');
    const tooMany = finished.length - this.#kept;
    for (const [index, { id, finishedMs }] of finished.entries()) {
      if (index < tooMany || Date.now() - finishedMs > KEPT_MS) this.#all.delete(id);
    }
  }
}
