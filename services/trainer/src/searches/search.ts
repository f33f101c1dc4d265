import { randomBytes } from 'node:crypto';
import { Recipe } from '@atelier/domain';
import { z } from 'zod';
import { DEVICE_CHOICES, ENGINE_CHOICES } from '../engines/devices.ts';
import { defaultSpace } from './default-space.ts';
import { sampleRecipes } from './sample-recipes.ts';
import { JsonValue, SearchSpace } from './space.ts';

const Halving = z.strictObject({
  reduction: z.int().min(2).max(10).default(2).describe('One of this many goes on from each rung'),
  minimumEpochs: z.int().min(1).max(10_000).default(1).describe('Epochs that every trial gets'),
});
const trials = z.int().min(1).max(1000).describe('Recipes to draw');
const halving = Halving.nullable().describe('How weak trials are stopped early (arXiv 1810.05934); null: none is');
const seed = z
  .int()
  .min(0)
  .max(2 ** 31 - 1)
  .describe('Decides what is drawn; each trial keeps the seed of the recipe');
const engine = z.enum(ENGINE_CHOICES).describe('What trains the trials');
const device = z.enum(DEVICE_CHOICES).describe('What it computes on');
const limit = z.int().min(100).max(60_000).describe('Train and validate on this many images');
const parallel = z.int().min(1).max(64);

/** Body of `POST /searches`. */
export const SearchRequest = z.strictObject({
  recipe: z.union([z.string().min(1).max(64), Recipe]).describe('What is varied: the name of a recipe, or one in full'),
  space: SearchSpace.optional().describe('What is tried; default: the settings of its training'),
  trials,
  halving: halving.prefault({}),
  seed: seed.default(0),
  engine: engine.default('auto'),
  device: device.default('auto'),
  limit: limit.optional(),
  parallel: parallel
    .optional()
    .describe('Trials in the queue or in training at once; default: as many as train at once'),
});
/** With its defaults filled in. */
export type SearchRequest = z.infer<typeof SearchRequest>;

export const SEARCH_STATES = ['running', 'finished', 'failed', 'cancelled'] as const;

const Failure = z.strictObject({ code: z.string(), message: z.string() });

/** `search.json`: what was asked for, and which run each trial is. How far the trials are stands in their runs. */
export const Search = z.strictObject({
  id: z.string(),
  state: z.enum(SEARCH_STATES).describe('Anything but running without `endedAt`: its runs are still being stopped'),
  request: z.strictObject({
    recipe: Recipe,
    space: SearchSpace,
    trials,
    halving,
    seed,
    engine,
    device,
    limit: limit.nullable(),
    parallel,
  }),
  createdAt: z.iso.datetime(),
  endedAt: z.iso.datetime().nullable(),
  error: Failure.nullable(),
  trials: z.array(
    z.strictObject({
      number: z.int().positive().describe('Counted from 1'),
      values: z.record(z.string(), JsonValue).describe('By their pointers into the recipe'),
      run: z.string().nullable().describe('Its id; null before it was started'),
      error: Failure.optional().describe('Why it could not be started, and never will be'),
    }),
  ),
});
export type Search = z.infer<typeof Search>;
export type Trial = Search['trials'][number];

/**
 * A search that has yet to start its first trial: every recipe is drawn and checked now, so `invalid-request` names all
 * faults of the space before anything runs. `recipe` is the request's in full; `parallel` is for a request without its own.
 */
export function newSearch(request: SearchRequest, recipe: Recipe, parallel: number, now = new Date()): Search {
  const space = request.space ?? defaultSpace(recipe);
  const sampled = sampleRecipes(recipe, space, request.trials, request.seed);
  const createdAt = now.toISOString();
  return {
    id: `${createdAt.replace(/\.\d+Z$/, '').replaceAll(':', '-')}-${recipe.name}-${randomBytes(4).toString('hex')}`,
    state: 'running',
    request: { ...request, recipe, space, limit: request.limit ?? null, parallel: request.parallel ?? parallel },
    createdAt,
    endedAt: null,
    error: null,
    trials: sampled.map(({ values }, index) => ({ number: index + 1, values, run: null })),
  };
}
