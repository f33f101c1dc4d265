import type { EpochReport } from '../epoch-report.ts';
import type { Progress } from '../fit.ts';
import { EventLog, eventsPath, failureOf } from './event-log.ts';
import { isEndTold, lastEpochTold } from './latest-events.ts';
import type { BegunRun, Run } from './run.ts';

/** How often steps are worth an event, in ms; the first chunk of an epoch always is. */
const STEP_EVENT_MS = 1000;

/** Tells in a run's `events.ndjson` what happens in it, for whoever holds the run's lock. */
export class RunEvents {
  readonly #log: EventLog;
  readonly #directory: string;
  #lastStep = { epoch: 0, at: 0 };

  private constructor(log: EventLog, directory: string) {
    this.#log = log;
    this.#directory = directory;
  }

  static async open(directory: string): Promise<RunEvents> {
    return new RunEvents(await EventLog.open(eventsPath(directory)), directory);
  }

  queued(recovery: number): void {
    this.#log.append('queued', { recovery });
  }

  started({ engine, epochs }: BegunRun): void {
    this.#log.append('started', { engine: engine.name, device: engine.device, afterEpoch: epochs });
  }

  /** Where the last telling is a while ago. */
  step(progress: Progress): void {
    const now = performance.now();
    const { epoch, at } = this.#lastStep;
    if (progress.epoch === epoch && now - at < STEP_EVENT_MS) return;
    this.#log.append('step', progress);
    this.#lastStep = { epoch: progress.epoch, at: now };
  }

  /** With its checkpoint, which is on the disk by now. */
  epoch(report: EpochReport): void {
    this.#log.append('epoch', report);
    this.#log.append('checkpoint', { epoch: report.epoch });
  }

  /** A crash can come between an epoch's checkpoint and the events that tell of it. */
  async tellUntoldEpochs(history: readonly EpochReport[]): Promise<void> {
    const told = await lastEpochTold(this.#directory);
    if (told === null) return; // of a time when runs told nothing
    for (const report of history.slice(told)) this.epoch(report);
  }

  ended(run: Run): void {
    this.#log.append(...endOf(run));
  }

  published(version: NonNullable<Run['published']>): void {
    this.#log.append('published', version);
  }

  /** A crash, or a disk that was full, can come between the state of a run that has ended and the event that tells it. */
  async tellUntold(run: Run): Promise<void> {
    if (run.state === 'queued' || run.state === 'running') return;
    if (!(await isEndTold(this.#directory, run.state))) this.ended(run);
  }
}

const UNKNOWN = { code: 'internal', message: 'No reason was kept.' };

/** The event that tells of the state that a run has ended in. */
function endOf(run: Run): Parameters<EventLog['append']> {
  const { state, error, epochs, bestEpoch, published, unpublished } = run;
  if (state === 'finished') {
    return ['finished', { epochs, bestEpoch, published, unpublished: unpublished && failureOf(unpublished) }];
  }
  if (state === 'cancelled') return ['cancelled', { reason: failureOf(error ?? UNKNOWN).message }];
  if (state !== 'failed' && state !== 'interrupted') throw new Error(`Run ${run.id} is ${state} and has not ended.`);
  return [state, failureOf(error ?? UNKNOWN)];
}
