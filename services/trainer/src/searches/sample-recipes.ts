import { Recipe } from '@atelier/domain';
import { randomStream } from '@atelier/fashion-mnist';
import { InvalidRequest } from '@atelier/http';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { canonicalJson } from '../runs/canonical-json.ts';
import { checkSpace, describeIssues } from './check-space.ts';
import { withValues } from './recipe-pointer.ts';
import { type Dimension, type JsonValue, rounded, type SearchSpace } from './space.ts';

/** A value for each dimension, by its pointer. */
export type TrialValues = Record<string, JsonValue>;

export interface SampledRecipe {
  values: TrialValues;
  recipe: Recipe;
}

/** Draws again this often before it counts through the combinations for one that is left. */
const DRAWS = 20;

/**
 * Random search (Bergstra and Bengio, JMLR 13, 2012): `trials` recipes drawn from the space. Each number comes from a
 * stream of its own for (pointer, seed, trial), so neither more trials nor more dimensions change what is drawn, except
 * where a combination of choices and integers was there already: it is drawn again while others are left. The recipe's own
 * seed stays. `invalid-request` as `checkSpace` says, and for a trial whose values do not go together.
 */
export function sampleRecipes(recipe: Recipe, space: SearchSpace, trials: number, seed: number): SampledRecipe[] {
  checkSpace(recipe, space);
  const taken = new Set<string>();
  // One for all trials: what it has passed is taken, so that it passes no more combinations than there are trials.
  const left = combinationsOf(space);
  return Array.from({ length: trials }, (_, trial) => {
    const values = newValues(space, seed, trial, taken, left);
    taken.add(canonicalJson(values));
    return { values, recipe: trialRecipe(recipe, values) };
  });
}

/** The recipe of a trial; `invalid-request` where its values do not go together. */
export function trialRecipe(recipe: Recipe, values: TrialValues): Recipe {
  const { data, error } = Recipe.safeParse(withValues(recipe, values));
  if (data) return data;
  const detail = `the values ${JSON.stringify(values)} do not go together: ${describeIssues(error.issues)}`;
  throw new InvalidRequest('The space does not fit the recipe.', [{ pointer: '/space', detail }]);
}

function newValues(
  space: SearchSpace,
  seed: number,
  trial: number,
  taken: ReadonlySet<string>,
  left: Generator<TrialValues>,
): TrialValues {
  const first = drawValues(space, seed, trial, 0);
  let values = first;
  for (let draw = 1; taken.has(canonicalJson(values)); draw++) {
    if (draw === DRAWS) return firstLeft(left, taken) ?? first;
    values = drawValues(space, seed, trial, draw);
  }
  return values;
}

function drawValues(space: SearchSpace, seed: number, trial: number, draw: number): TrialValues {
  return Object.fromEntries(
    Object.entries(space).map(([pointer, dimension]) => [
      pointer,
      drawValue(dimension, randomStream(`search ${pointer} ${draw}`, seed, trial)),
    ]),
  );
}

function drawValue(dimension: Dimension, random: RandomGenerator): JsonValue {
  switch (dimension.kind) {
    case 'choice':
      return dimension.values[uniformInt(random, 0, dimension.values.length - 1)] ?? null;
    case 'integer':
      return uniformInt(random, dimension.minimum, dimension.maximum);
    case 'uniform':
      return between(dimension, dimension.minimum + uniformFloat64(random) * (dimension.maximum - dimension.minimum));
    case 'log-uniform': {
      const [low, high] = [Math.log(dimension.minimum), Math.log(dimension.maximum)];
      return between(dimension, Math.exp(low + uniformFloat64(random) * (high - low)));
    }
  }
}

/** Rounded, and not beyond the ends by that. */
function between({ minimum, maximum }: { minimum: number; maximum: number }, value: number): number {
  return Math.min(maximum, Math.max(minimum, rounded(value)));
}

/** The next combination that no trial has; null where all are taken, or where they cannot be counted. */
function firstLeft(left: Generator<TrialValues>, taken: ReadonlySet<string>): TrialValues | null {
  for (let next = left.next(); !next.done; next = left.next()) {
    if (!taken.has(canonicalJson(next.value))) return next.value;
  }
  return null;
}

/** Each combination once; none where a dimension cannot be counted, which would show at the end of each only. */
function combinationsOf(space: SearchSpace): Generator<TrialValues> {
  const dimensions = Object.entries(space);
  const isCountable = dimensions.every(([, { kind }]) => kind === 'choice' || kind === 'integer');
  return combinations(isCountable ? dimensions : null);
}

function* combinations(dimensions: readonly [string, Dimension][] | null): Generator<TrialValues> {
  if (dimensions === null) return;
  const [first, ...rest] = dimensions;
  if (first === undefined) {
    yield {};
    return;
  }
  const [pointer, dimension] = first;
  for (const value of countable(dimension)) {
    for (const others of combinations(rest)) yield { [pointer]: value, ...others };
  }
}

function* countable(dimension: Dimension): Generator<JsonValue> {
  if (dimension.kind === 'choice') {
    yield* new Map(dimension.values.map((value) => [canonicalJson(value), value])).values();
  }
  if (dimension.kind !== 'integer') return;
  for (let value = dimension.minimum; value <= dimension.maximum; value++) yield value;
}
