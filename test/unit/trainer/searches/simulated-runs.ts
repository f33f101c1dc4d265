import type { Recipe } from '@atelier/domain';
import {
  ladder,
  type Looks,
  newSearch,
  type Search,
  SearchCoordinator,
  SearchRequest,
  type TrialLook,
  type TrialRuns,
} from '@atelier/trainer';
import { smallRecipe } from '../../../support/small-recipe.ts';

/** How a trial would learn. */
export interface Course {
  /** After each epoch. */
  accuracies: readonly number[];
  /** Its early stopping ends it after this epoch. */
  endsAfter?: number;
  /** It fails in this epoch. */
  failsIn?: number;
  /** Looks until it has come to its next rung; default 1. */
  slowness?: number;
}

export class Killed extends Error {}

interface SimulatedRun extends TrialLook {
  number: number;
  looksLeft: number;
  reason: string | null;
}

/** Runs that learn as they are told, and a process that can be killed at each await: before it happened, or after. */
export class SimulatedRuns implements TrialRuns {
  readonly runs = new Map<string, SimulatedRun>();
  readonly log: string[] = [];
  mostOutstanding = 0;
  saved: Search;
  concluded: { search: Search; looks: Looks }[] = [];
  /** Counts calls; the one that it reaches kills. */
  killAt: { call: number; when: 'before' | 'after' } | null = null;
  #calls = 0;
  #isDead = false;
  readonly #courses: readonly Course[];

  constructor(search: Search, courses: readonly Course[]) {
    this.saved = search;
    this.#courses = courses;
  }

  get calls(): number {
    return this.#calls;
  }

  restart(): void {
    this.#isDead = false;
    this.killAt = null;
  }

  coordinator(): SearchCoordinator {
    return new SearchCoordinator(structuredClone(this.saved), {
      runs: this,
      save: (search) => this.#call(() => void (this.saved = structuredClone(search))),
      conclude: (search, looks) => this.#call(() => void this.concluded.push({ search, looks: new Map(looks) })),
      pollMs: 0,
    });
  }

  launch(_recipe: Recipe, untilEpoch: number, { number }: { number: number }): Promise<string> {
    return this.#call(() => {
      const id = `run-${number}`;
      if (this.runs.has(id)) return id;
      this.log.push(`${number} to ${untilEpoch}`);
      this.runs.set(id, { ...this.#outstanding(number, untilEpoch), number, validation: [], seconds: 0, reason: null });
      this.#count();
      return id;
    });
  }

  goOn(id: string, untilEpoch: number): Promise<void> {
    return this.#call(() => {
      const run = this.#run(id);
      if (run.standing !== 'paused') throw new Error(`${id} is ${run.standing}.`);
      this.log.push(`${run.number} to ${untilEpoch}`);
      Object.assign(run, this.#outstanding(run.number, untilEpoch));
      this.#count();
    });
  }

  look(id: string): Promise<TrialLook | null> {
    return this.#call(() => {
      const run = this.runs.get(id);
      if (run === undefined) return null;
      if (run.standing === 'outstanding' && run.looksLeft-- <= 0) this.#train(run);
      const { standing, untilEpoch, validation, seconds } = run;
      return { standing, untilEpoch, validation: [...validation], seconds };
    });
  }

  stop(id: string, reason: string): Promise<void> {
    return this.#call(() => void Object.assign(this.#run(id), { standing: 'cancelled', reason }));
  }

  /** Epochs trained by all together. */
  get epochs(): number {
    return [...this.runs.values()].reduce((sum, { validation }) => sum + validation.length, 0);
  }

  #run(id: string): SimulatedRun {
    const run = this.runs.get(id);
    if (run === undefined) throw new Error(`There is no ${id}.`);
    return run;
  }

  #outstanding(number: number, untilEpoch: number) {
    return { standing: 'outstanding' as const, untilEpoch, looksLeft: this.#courses[number - 1]?.slowness ?? 1 };
  }

  #train(run: SimulatedRun): void {
    const {
      accuracies,
      endsAfter = accuracies.length,
      failsIn = Infinity,
    } = this.#courses[run.number - 1] ?? {
      accuracies: [],
    };
    while (run.validation.length < Math.min(run.untilEpoch, endsAfter)) {
      const epoch = run.validation.length + 1;
      if (epoch === failsIn) {
        run.standing = 'failed';
        return;
      }
      const accuracy = accuracies[epoch - 1] ?? 0;
      run.validation.push({ epoch, accuracy, loss: 1 - accuracy });
      run.seconds += 1;
    }
    run.standing = run.validation.length >= endsAfter ? 'finished' : 'paused';
  }

  #count(): void {
    const outstanding = [...this.runs.values()].filter(({ standing }) => standing === 'outstanding').length;
    this.mostOutstanding = Math.max(this.mostOutstanding, outstanding);
  }

  async #call<Result>(effect: () => Result): Promise<Result> {
    if (this.#isDead) throw new Killed('Nothing answers a process that is dead.');
    const killed = this.#calls++ === this.killAt?.call ? this.killAt.when : null;
    this.#isDead = killed !== null;
    if (killed === 'before') throw new Killed('before');
    const result = effect();
    if (killed === 'after') throw new Killed('after');
    return result;
  }
}

/** A search over a learning rate, for as many trials as there are courses. */
export function simulation(courses: readonly Course[], request: Record<string, unknown> = {}): SimulatedRuns {
  const recipe = smallRecipe({ epochs: courses[0]?.accuracies.length ?? 1 });
  const space = { '/optimizer/learningRate': { kind: 'log-uniform', minimum: 1e-4, maximum: 1e-1 } };
  const parsed = SearchRequest.parse({ recipe, space, trials: courses.length, parallel: 1, ...request });
  return new SimulatedRuns(newSearch(parsed, recipe, 1), courses);
}

/** A course that rises to `final` in `epochs`, always in the same order among others. */
export function rising(final: number, epochs: number, rest: Partial<Course> = {}): Course {
  return {
    accuracies: Array.from({ length: epochs }, (_, epoch) => final - 0.3 * (1 - (epoch + 1) / epochs)),
    ...rest,
  };
}

/** Synchronous successive halving as one writes it down: who is trained to which epoch. */
export function synchronousHalving(courses: readonly Course[], search: Search): string[] {
  const { rungs, reduction } = ladder(search.request.recipe.epochs, search.request.halving);
  let numbers = courses.map((_, index) => index + 1);
  return rungs.flatMap((rung) => {
    const steps = numbers.map((number) => `${number} to ${rung}`);
    const best = (number: number) => Math.max(...(courses[number - 1]?.accuracies.slice(0, rung) ?? []));
    const ranked = [...numbers].sort((one, other) => best(other) - best(one) || one - other);
    numbers = ranked.slice(0, Math.max(1, Math.floor(numbers.length / reduction)));
    return steps;
  });
}
