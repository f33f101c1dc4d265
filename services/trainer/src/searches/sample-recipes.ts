import { Recipe } from '@atelier/domain';
import { randomStream } from '@atelier/fashion-mnist';
import { InvalidRequest } from '@atelier/http';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { checkSpace, describeIssues } from './check-space.ts';
import { withValue } from './recipe-pointer.ts';
import type { Dimension, JsonValue, SearchSpace } from './space.ts';

/** A value for each dimension, by its pointer. */
export type TrialValues = Record<string, JsonValue>;

export interface SampledRecipe {
  values: TrialValues;
  recipe: Recipe;
}

/** Draws again this often before it counts through the combinations for one that is left. */
const DRAWS = 20;
/** Of a drawn number: finer makes no difference to a network, and people read these. */
const SIGNIFICANT_DIGITS = 6;

/**
 * Random search (Bergstra and Bengio, JMLR 13, 2012): `trials` recipes drawn from the space. Each number comes from a
 * stream of its own for (pointer, seed, trial), so neither more trials nor more dimensions change what is drawn, except
 * where a combination of choices and integers was there already: it is drawn again while others are left. The recipe's own
 * seed stays. `invalid-request` as `checkSpace` says, and for a trial whose values do not go together.
 */
export function sampleRecipes(recipe: Recipe, space: SearchSpace, trials: number, seed: number): SampledRecipe[] {
  checkSpace(recipe, space);
  const taken = new Set<string>();
  return Array.from({ length: trials }, (_, trial) => {
    const values = newValues(space, seed, trial, taken);
    taken.add(JSON.stringify(values));
    return { values, recipe: trialRecipe(recipe, values) };
  });
}

/** The recipe of a trial; `invalid-request` where its values do not go together. */
export function trialRecipe(recipe: Recipe, values: TrialValues): Recipe {
  const changed = Object.entries(values).reduce((base, [pointer, value]) => withValue(base, pointer, value), recipe);
  const { data, error } = Recipe.safeParse(changed);
  if (data) return data;
  const detail = `the values ${JSON.stringify(values)} do not go together: ${describeIssues(error.issues)}`;
  throw new InvalidRequest('The space does not fit the recipe.', [{ pointer: '/space', detail }]);
}

function newValues(space: SearchSpace, seed: number, trial: number, taken: ReadonlySet<string>): TrialValues {
  const first = drawValues(space, seed, trial, 0);
  let values = first;
  for (let draw = 1; taken.has(JSON.stringify(values)); draw++) {
    if (draw === DRAWS) return firstLeft(space, taken) ?? first;
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
  return Math.min(maximum, Math.max(minimum, Number(value.toPrecision(SIGNIFICANT_DIGITS))));
}

/** The first combination that no trial has; null where all are taken, or where they cannot be counted. */
function firstLeft(space: SearchSpace, taken: ReadonlySet<string>): TrialValues | null {
  for (const values of combinations(Object.entries(space))) {
    if (!taken.has(JSON.stringify(values))) return values;
  }
  return null;
}

function* combinations([first, ...rest]: readonly [string, Dimension][]): Generator<TrialValues> {
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
  if (dimension.kind === 'choice') yield* dimension.values;
  if (dimension.kind !== 'integer') return;
  for (let value = dimension.minimum; value <= dimension.maximum; value++) yield value;
}
