import { mkdir } from 'node:fs/promises';
import { DomainError, messageOf, type Recipe } from '@atelier/domain';
import type { Log } from '@atelier/http';
import { runErrand } from '../process/errand-process.ts';
import { RunLock } from '../runs/run-lock.ts';
import { isFinal } from '../runs/run-states.ts';
import type { Trainer } from '../supervision/trainer.ts';
import { SearchCoordinator } from './coordinator.ts';
import { type Looks, type SearchResults, searchResults } from './results.ts';
import { runsOfTrainer } from './runs-of-trainer.ts';
import { listSearches, readSearch, saveSearch, searchFolder, type SearchList } from './search-folder.ts';
import { newSearch, type Search, type SearchRequest } from './search.ts';

export interface SearchesOptions {
  /** How many trials may be outstanding, for a search that does not say. */
  parallel: number;
  /** How often the runs of a search are looked at, in ms. */
  pollMs: number;
}

/** A search that this process coordinates. */
interface Active {
  stop: AbortController;
  ended: Promise<void>;
}

/** Searches as a service has them: asked for, carried through, and gone on with after whatever happened. */
export class Searches {
  readonly #trainer: Trainer;
  readonly #options: SearchesOptions;
  readonly #log: Log;
  readonly #active = new Map<string, Active>();

  constructor(trainer: Trainer, options: SearchesOptions, log: Log) {
    this.#trainer = trainer;
    this.#options = options;
    this.#log = log;
  }

  /** Goes on with every search that has not ended and that no other process coordinates. */
  async start(): Promise<void> {
    const { searches } = await this.list();
    for (const search of searches.filter(({ endedAt }) => endedAt === null)) await this.goOn(search.id);
  }

  /** Leaves searches as they are, to be gone on with. */
  async stop(): Promise<void> {
    for (const { stop } of this.#active.values()) stop.abort();
    await Promise.all([...this.#active.values()].map(({ ended }) => ended));
  }

  /** `invalid-request` for a space that does not fit the recipe. */
  async submit(request: SearchRequest, recipe: Recipe): Promise<Search> {
    const search = newSearch(request, recipe, this.#options.parallel);
    await this.#save(search);
    await this.goOn(search.id);
    return search;
  }

  /** Carries a search through in the background; another process that does so already is left to it. */
  async goOn(id: string): Promise<void> {
    const lock = await this.#lock(id);
    if (lock === null) return;
    const stop = new AbortController();
    const ended = this.#carryThrough(id, stop.signal)
      .catch((error: unknown) => this.#log.error({ err: error, search: id }, messageOf(error)))
      .finally(async () => {
        this.#active.delete(id);
        await lock.release();
      });
    this.#active.set(id, { stop, ended });
  }

  /** Resolves when this process coordinates the search no more. */
  async ended(id: string): Promise<void> {
    await this.#active.get(id)?.ended;
  }

  list(): Promise<SearchList> {
    return listSearches(this.#trainer.store.directory);
  }

  /** A search and how its trials stand. */
  async find(id: string): Promise<{ search: Search; results: SearchResults }> {
    const search = await readSearch(this.#trainer.store.directory, id);
    return { search, results: searchResults(search, await this.#looks(search)) };
  }

  /** Ends a search and its trials; `illegal-transition` where it has ended, `run-in-use` where another process has it. */
  async cancel(id: string): Promise<Search> {
    const { state } = await readSearch(this.#trainer.store.directory, id);
    if (state !== 'running') {
      const details = { state, legalStates: ['running'] };
      throw new DomainError('illegal-transition', `Search ${id} is ${state} and cannot be cancelled.`, { details });
    }
    this.#active.get(id)?.stop.abort();
    await this.ended(id);
    const lock = await RunLock.acquire(this.#folder(id));
    try {
      const search = await this.#coordinator(await readSearch(this.#trainer.store.directory, id)).cancel();
      await this.#cancelUnknown(search);
      return search;
    } finally {
      await lock.release();
    }
  }

  async #carryThrough(id: string, signal: AbortSignal): Promise<void> {
    const search = await readSearch(this.#trainer.store.directory, id);
    this.#log.info({ search: id, trials: search.trials.length }, 'Search is carried through');
    const { state, error } = await this.#coordinator(search).carryThrough(signal);
    this.#log.info({ search: id, state, error }, 'Search is left');
  }

  /** A process that was killed may have made a run that its search does not know of. */
  async #cancelUnknown({ id, trials }: Search): Promise<void> {
    for (const { id: run, state, run: stored } of await this.#trainer.store.list()) {
      if (stored?.job?.trial?.search !== id || isFinal(state) || trials.some((trial) => trial.run === run)) continue;
      await this.#trainer.cancel(run, 'Its search was cancelled.');
    }
  }

  #coordinator(search: Search): SearchCoordinator {
    const runsDirectory = this.#trainer.store.directory;
    return new SearchCoordinator(search, {
      runs: runsOfTrainer(this.#trainer, search.request),
      save: (changed) => this.#save(changed),
      // Charts take a second to draw, in which the service would answer nobody.
      conclude: (ended, looks) => runErrand('search-results', { runsDirectory, search: ended, looks: [...looks] }),
      pollMs: this.#options.pollMs,
    });
  }

  /** Null where another process coordinates the search, or this one does. */
  async #lock(id: string): Promise<RunLock | null> {
    try {
      await mkdir(this.#folder(id), { recursive: true });
      return await RunLock.acquire(this.#folder(id));
    } catch (error) {
      if (error instanceof DomainError && error.code === 'run-in-use') return null;
      throw error;
    }
  }

  async #looks({ request, trials }: Search): Promise<Looks> {
    const runs = runsOfTrainer(this.#trainer, request);
    const looks = await Promise.all(
      trials.map(async ({ number, run }) => [number, run === null ? null : await runs.look(run)] as const),
    );
    return new Map(looks.filter(([number]) => trials.some((trial) => trial.number === number && trial.run !== null)));
  }

  #save(search: Search): Promise<void> {
    return saveSearch(this.#trainer.store.directory, search);
  }

  #folder(id: string): string {
    return searchFolder(this.#trainer.store.directory, id);
  }
}
