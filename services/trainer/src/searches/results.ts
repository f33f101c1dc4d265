import { DomainError, type Recipe } from '@atelier/domain';
import { percent } from '@atelier/reports';
import { type TrialValues, trialRecipe } from './sample-recipes.ts';
import { compareScores, scoreAt, type Validation } from './score.ts';
import type { Search, Trial } from './search.ts';
import type { TrialLook } from './trial-runs.ts';

/** What is known of the runs of a search's trials, by the trials' numbers; nothing of those that were not started. */
export type Looks = ReadonlyMap<number, TrialLook | null>;

/** A trial among the others. */
export interface RankedTrial {
  /** From 1, the best first. */
  place: number;
  number: number;
  values: TrialValues;
  /** `stopped`: before its end, by the search or by hand. `deleted`: its run is no more. */
  state: 'waiting' | 'outstanding' | 'paused' | 'finished' | 'stopped' | 'failed' | 'deleted';
  /** Trained so far. */
  epochs: number;
  /** Its best epoch on the validation images; null before the first. */
  best: Validation | null;
  /** Training alone. */
  seconds: number;
  run: string | null;
}

export interface SearchResults {
  /** The best first. */
  trials: readonly RankedTrial[];
  best: RankedTrial | null;
  /** Trained by all trials together. */
  epochs: number;
  /** What as many trials would take that are all trained as long as the recipe says. */
  fullEpochs: number;
  seconds: number;
}

/**
 * The trials as they stand, at any time of a search. Those that were trained to their end come first, by their best
 * validation accuracy, then those that came less far, by how far they came; failed ones last, and never the best.
 */
export function searchResults({ request, trials }: Search, looks: Looks): SearchResults {
  const ranked = trials
    .map((trial) => ({ place: 0, ...standingOf(trial, looks.get(trial.number)) }))
    .sort(compareTrials)
    .map((trial, index) => ({ ...trial, place: index + 1 }));
  const [first] = ranked;
  return {
    trials: ranked,
    best: first?.best && !hasFailed(first) ? first : null,
    epochs: ranked.reduce((sum, { epochs }) => sum + epochs, 0),
    fullEpochs: request.trials * request.recipe.epochs,
    seconds: ranked.reduce((sum, { seconds }) => sum + seconds, 0),
  };
}

/**
 * The best trial's recipe, as a recipe of its own; `search-unfinished` where no trial has come to a result.
 * It says in its description where it is from, and `-search` in its name.
 */
export function bestRecipe(search: Search, { best }: SearchResults): Recipe {
  if (best?.best == null) {
    throw new DomainError('search-unfinished', `No trial of the search ${search.id} has come to a result.`);
  }
  const { recipe, trials } = search.request;
  const description =
    `Trial ${best.number} of ${trials} of the search ${search.id} from ${recipe.name}: validation accuracy ` +
    `${percent(best.best.accuracy)} at epoch ${best.best.epoch}`;
  return { ...trialRecipe(recipe, best.values), name: searchedName(recipe.name), description };
}

const SUFFIX = '-search';
const LONGEST_NAME = 64;

function searchedName(name: string): string {
  if (name.endsWith(SUFFIX)) return name;
  return `${name.slice(0, LONGEST_NAME - SUFFIX.length).replace(/-+$/, '')}${SUFFIX}`;
}

function standingOf(
  { number, values, run, error }: Trial,
  look: TrialLook | null | undefined,
): Omit<RankedTrial, 'place'> {
  const { validation = [], seconds = 0 } = look ?? {};
  const epochs = Math.max(0, ...validation.map(({ epoch }) => epoch));
  return {
    number,
    values,
    state: error === undefined ? stateOf(run, look) : 'failed',
    epochs,
    best: scoreAt(validation, epochs),
    seconds,
    run,
  };
}

function stateOf(run: string | null, look: TrialLook | null | undefined): RankedTrial['state'] {
  if (run === null) return 'waiting';
  if (look == null) return 'deleted';
  return look.standing === 'cancelled' ? 'stopped' : look.standing;
}

function hasFailed({ state }: Pick<RankedTrial, 'state'>): boolean {
  return state === 'failed' || state === 'deleted';
}

function compareTrials(one: RankedTrial, other: RankedTrial): number {
  const isFinished = ({ state }: RankedTrial) => Number(state === 'finished');
  return (
    Number(hasFailed(one)) - Number(hasFailed(other)) ||
    isFinished(other) - isFinished(one) ||
    (isFinished(one) ? 0 : other.epochs - one.epochs) ||
    compareScores(one.best, other.best) ||
    one.number - other.number
  );
}
