import { setTimeout as delay } from 'node:timers/promises';
import { DomainError, type ErrorCode, hasCode, messageOf } from '@atelier/domain';
import { type Ladder, ladder, nextStep, type Step, type TrialProgress } from './halving.ts';
import { searchResults, type Looks } from './results.ts';
import { trialRecipe } from './sample-recipes.ts';
import type { Search, Trial } from './search.ts';
import type { TrialLook, TrialRuns } from './trial-runs.ts';

/** What a search works with. */
export interface SearchSurroundings {
  runs: TrialRuns;
  /** Writes `search.json`, whole. */
  save(search: Search): Promise<void>;
  /** Writes the results of a search that has come to its end; a second time writes them again. */
  conclude(search: Search, looks: Looks): Promise<void>;
  /** Between two looks at runs that are outstanding. */
  pollMs: number;
}

/** Answers where there is no room for a run now. */
const LATER: readonly ErrorCode[] = ['queue-full', 'queue-unavailable', 'disk-full'];
/** Answers that say something of one recipe; others may do all the same. */
const REFUSED: readonly ErrorCode[] = ['invalid-recipe', 'teacher-not-found', 'invalid-configuration'];

/**
 * Carries one search through. All it knows lies in `search.json` and in the runs, so that another process can go on with
 * it wherever this one was killed: it makes no run twice, promotes none twice, and with one run at a time comes to the same
 * end. A search has one coordinator at a time.
 */
export class SearchCoordinator {
  readonly #surroundings: SearchSurroundings;
  readonly #ladder: Ladder;
  readonly #looks = new Map<number, TrialLook | null>();
  #search: Search;

  constructor(search: Search, surroundings: SearchSurroundings) {
    this.#search = search;
    this.#surroundings = surroundings;
    this.#ladder = ladder(search.request.recipe.epochs, search.request.halving);
  }

  /**
   * Works until the search has ended, or `signal` aborts: then everything stays as it is, to be gone on with. What goes
   * wrong ends the search as `failed`, with the error in it; only a fault in ending it is thrown, and a disk that is full
   * where it has nothing to wait for. A trial whose recipe is refused has failed. A search that ended but
   * was killed while it stopped its runs stops the rest; one that ended altogether is left alone.
   */
  async carryThrough(signal: AbortSignal): Promise<Search> {
    if (this.#search.state !== 'running') return this.#windUp();
    try {
      await this.#lookAt(this.#search.trials);
      while (!signal.aborted) {
        const step = this.#nextStep();
        if (step.kind === 'over') return await this.#end();
        if (step.kind === 'wait' || !(await this.#take(step))) await this.#wait(signal);
      }
      return this.#search;
    } catch (error) {
      if (this.#search.state !== 'running' || hasCode(error, ...LATER)) throw error;
      return this.#endAs('failed', {
        code: error instanceof DomainError ? error.code : 'internal',
        message: messageOf(error),
      });
    }
  }

  /** Ends the search and every run of it that has not ended; after `carryThrough` was aborted and has returned. */
  async cancel(): Promise<Search> {
    await this.#lookAt(this.#search.trials);
    return this.#search.state === 'running' ? this.#endAs('cancelled', null) : this.#windUp();
  }

  #nextStep(): Step {
    const trials = this.#search.trials.map((trial) => progressOf(trial, this.#looks.get(trial.number)));
    const outstanding = trials.filter(({ standing }) => standing === 'outstanding').length;
    return outstanding < this.#search.request.parallel ? nextStep(trials, this.#ladder) : { kind: 'wait' };
  }

  /** False where the queue has no room now. */
  async #take({ kind, trial: number, untilEpoch }: Extract<Step, { trial: number }>): Promise<boolean> {
    const trial = this.#search.trials.find((each) => each.number === number);
    if (trial === undefined) throw new RangeError(`The search ${this.#search.id} has no trial ${number}.`);
    try {
      if (kind === 'start') await this.#start(trial, untilEpoch);
      else await this.#promote(trial, untilEpoch);
      return true;
    } catch (error) {
      if (hasCode(error, ...LATER)) return false;
      throw error;
    }
  }

  async #start(trial: Trial, untilEpoch: number): Promise<void> {
    const recipe = trialRecipe(this.#search.request.recipe, trial.values);
    const of = { search: this.#search.id, number: trial.number };
    const started = await this.#surroundings.runs.launch(recipe, untilEpoch, of).then(
      (run): Trial => ({ ...trial, run }),
      (error: unknown): Trial => {
        if (!hasCode(error, ...REFUSED)) throw error;
        return { ...trial, error: { code: error.code, message: error.message } };
      },
    );
    const trials = this.#search.trials.map((each) => (each.number === trial.number ? started : each));
    await this.#save({ ...this.#search, trials });
    await this.#lookAt([started]);
  }

  async #promote(trial: Trial, untilEpoch: number): Promise<void> {
    // A person may have resumed, cancelled or deleted it while it was paused.
    await this.#lookAt([trial]);
    if (trial.run === null || this.#looks.get(trial.number)?.standing !== 'paused') return;
    await this.#surroundings.runs.goOn(trial.run, untilEpoch);
    await this.#lookAt([trial]);
  }

  async #wait(signal: AbortSignal): Promise<void> {
    await delay(this.#surroundings.pollMs, undefined, { signal }).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
    // The others change by our doing only, and a search may have a thousand.
    await this.#lookAt(this.#search.trials.filter(({ number }) => this.#looks.get(number)?.standing === 'outstanding'));
  }

  async #lookAt(trials: readonly Trial[]): Promise<void> {
    for (const { number, run } of trials) {
      if (run !== null) this.#looks.set(number, await this.#surroundings.runs.look(run));
    }
  }

  async #end(): Promise<Search> {
    if (searchResults(this.#search, this.#looks).best !== null) return this.#endAs('finished', null);
    const refused = this.#search.trials.find(({ error }) => error !== undefined);
    const why = refused?.error ? `trial ${refused.number}: ${refused.error.message}` : 'their runs say why.';
    const message = `None of the ${this.#search.trials.length} trials has come to a result; ${why}`;
    return this.#endAs('failed', { code: 'search-unfinished', message });
  }

  /** Says first how it ended, so that a killed process never decides anew with half of the runs stopped. */
  async #endAs(state: Exclude<Search['state'], 'running'>, error: Search['error']): Promise<Search> {
    await this.#save({ ...this.#search, state, error });
    return this.#windUp();
  }

  async #windUp(): Promise<Search> {
    if (this.#search.endedAt !== null) return this.#search;
    await this.#lookAt(this.#search.trials);
    for (const { number, run, epochs, place, state } of searchResults(this.#search, this.#looks).trials) {
      if (run === null || (state !== 'paused' && state !== 'outstanding')) continue;
      await this.#surroundings.runs.stop(run, `Stopped after epoch ${epochs}: ${this.#reason(place)}.`);
      this.#looks.set(number, await this.#surroundings.runs.look(run));
    }
    const ended = { ...this.#search, endedAt: new Date().toISOString() };
    await this.#surroundings.conclude(ended, this.#looks);
    await this.#save(ended);
    return this.#search;
  }

  #reason(place: number): string {
    if (this.#search.state === 'finished') return `place ${place} of ${this.#search.trials.length}`;
    return this.#search.state === 'cancelled' ? 'the search was cancelled' : 'the search failed';
  }

  async #save(search: Search): Promise<void> {
    await this.#surroundings.save(search);
    this.#search = search;
  }
}

function progressOf({ number, run, error }: Trial, look: TrialLook | null | undefined): TrialProgress {
  if (error !== undefined) return { number, standing: 'failed', untilEpoch: 0, validation: [] };
  if (run === null) return { number, standing: 'unstarted', untilEpoch: 0, validation: [] };
  if (look == null) return { number, standing: 'failed', untilEpoch: 0, validation: [] };
  return { ...look, number, standing: STANDINGS[look.standing] };
}

/** A run that a person cancelled is out of the race like one that failed. */
const STANDINGS = {
  outstanding: 'outstanding',
  paused: 'paused',
  finished: 'ended',
  failed: 'failed',
  cancelled: 'failed',
} as const satisfies Record<TrialLook['standing'], TrialProgress['standing']>;
