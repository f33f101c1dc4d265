import { mkdir } from 'node:fs/promises';
import { DomainError, hasCode, messageOf, type Recipe } from '@atelier/domain';
import { InvalidRequest, type Log } from '@atelier/http';
import { runErrand } from '../process/errand-process.ts';
import { RunLock } from '../runs/run-lock.ts';
import { isFinal } from '../runs/run-states.ts';
import type { Trainer } from '../supervision/trainer.ts';
import { SearchCoordinator } from './coordinator.ts';
import { type Looks, type SearchResults, searchResults } from './results.ts';
import { runsOfTrainer } from './runs-of-trainer.ts';
import { listSearches, listSearchIds, readSearch, saveSearch, searchFolder, type SearchList } from './search-folder.ts';
import { prepareRequested } from '../supervision/prepare-requested.ts';
import type { Search, SearchRequest } from './search.ts';

export interface SearchesOptions {
  /** How many trials may be outstanding, for a search that does not say. */
  parallel: number;
  /** How often the runs of a search are looked at, in ms. */
  pollMs: number;
  /** How often searches are looked for that nobody coordinates, in ms; default: every five seconds. */
  recoveryIntervalMs?: number;
}

const RECOVERY_MS = 5_000;

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
  /** Ended for good, so that they need not be read again. */
  readonly #over = new Set<string>();
  /** Not to be taken up, because they are being cancelled here. */
  readonly #cancelling = new Set<string>();
  /** Of searches that could not be taken up: what was logged, once. */
  readonly #faults = new Map<string, string>();
  #recovery: NodeJS.Timeout | undefined;
  #recovering: Promise<void> | null = null;
  #isStopped = false;
  /** One search is drawn at a time: each takes a process. */
  #drawing: Promise<unknown> = Promise.resolve();

  constructor(trainer: Trainer, options: SearchesOptions, log: Log) {
    this.#trainer = trainer;
    this.#options = options;
    this.#log = log;
  }

  /**
   * Goes on with every search that has not ended and that no other process coordinates, and goes on looking for some: of a
   * process that was killed in another container the lock counts for a while.
   */
  async start(): Promise<void> {
    await this.recover();
    const { recoveryIntervalMs = RECOVERY_MS } = this.#options;
    this.#recovery = setInterval(() => void this.recover(), recoveryIntervalMs);
  }

  /** Takes up what nobody coordinates; one look at a time. A fault is logged: it keeps no other search waiting. */
  recover(): Promise<void> {
    this.#recovering ??= this.#recover().finally(() => (this.#recovering = null));
    return this.#recovering;
  }

  /** Leaves searches as they are, to be gone on with. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#recovery);
    await this.#recovering;
    for (const { stop } of this.#active.values()) stop.abort();
    await Promise.all([...this.#active.values()].map(({ ended }) => ended));
  }

  /** `invalid-request` for a space that does not fit the recipe, and what `prepareTraining` refuses of the recipe. */
  async submit(request: SearchRequest, recipe: Recipe): Promise<Search> {
    await prepareRequested(recipe, this.#trainer.store.directory, null);
    const search = await this.#draw(request, recipe);
    await this.#save(search);
    await this.goOn(search.id);
    return search;
  }

  /** Carries a search through in the background; false where another process does so already, which is left to it. */
  async goOn(id: string): Promise<boolean> {
    const lock = await this.#lock(id);
    if (lock === null) return this.#active.has(id);
    if (this.#isStopped) {
      await lock.release();
      return false;
    }
    const stop = new AbortController();
    const ended = this.#carryThrough(id, stop.signal)
      .catch((error: unknown) => this.#log.error({ err: error, search: id }, messageOf(error)))
      .finally(async () => {
        this.#active.delete(id);
        await lock.release();
      });
    this.#active.set(id, { stop, ended });
    return true;
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
    this.#cancelling.add(id);
    try {
      await this.#recovering; // which may be about to take it up
      this.#active.get(id)?.stop.abort();
      await this.ended(id);
      return await this.#cancelAlone(id);
    } finally {
      this.#cancelling.delete(id);
    }
  }

  async #cancelAlone(id: string): Promise<Search> {
    const lock = await RunLock.acquire(this.#folder(id));
    try {
      const search = await this.#coordinator(await readSearch(this.#trainer.store.directory, id)).cancel();
      await this.#cancelUnknown(search);
      return search;
    } finally {
      await lock.release();
    }
  }

  async #recover(): Promise<void> {
    const ids = await listSearchIds(this.#trainer.store.directory).catch((error: unknown) => {
      this.#log.error({ err: error }, `Searches could not be looked for: ${messageOf(error)}`);
      return [];
    });
    for (const id of ids) {
      if (this.#isStopped) return;
      if (this.#over.has(id) || this.#active.has(id) || this.#cancelling.has(id)) continue;
      try {
        const { endedAt } = await readSearch(this.#trainer.store.directory, id);
        if (endedAt !== null) this.#over.add(id);
        else if (!this.#cancelling.has(id)) await this.goOn(id);
        this.#faults.delete(id);
      } catch (error) {
        // A folder without its file is a search that was killed before it was there, or one that is being made.
        if (hasCode(error, 'search-not-found')) continue;
        if (this.#faults.get(id) === messageOf(error)) continue;
        this.#faults.set(id, messageOf(error));
        this.#log.error({ err: error, search: id }, `A search could not be taken up: ${messageOf(error)}`);
      }
    }
  }

  /** In a process of its own: a thousand recipes take more than a second, in which the service would answer nobody. */
  async #draw(request: SearchRequest, recipe: Recipe): Promise<Search> {
    const { parallel } = this.#options;
    const drawing = this.#drawing.then(() => runErrand('draw-search', { request, recipe, parallel }));
    this.#drawing = drawing.catch(() => undefined);
    const drawn = await drawing;
    if ('search' in drawn) return drawn.search;
    throw new InvalidRequest(drawn.message, drawn.faults);
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
      if (hasCode(error, 'run-in-use')) return null;
      throw error;
    }
  }

  async #looks({ request, trials }: Search): Promise<Looks> {
    const runs = runsOfTrainer(this.#trainer, request);
    const lookAt = async (number: number, run: string) => [number, await runs.look(run)] as const;
    const looks = await Promise.all(trials.flatMap(({ number, run }) => (run === null ? [] : [lookAt(number, run)])));
    return new Map(looks);
  }

  #save(search: Search): Promise<void> {
    return saveSearch(this.#trainer.store.directory, search);
  }

  #folder(id: string): string {
    return searchFolder(this.#trainer.store.directory, id);
  }
}
