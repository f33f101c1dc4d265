import { Recipe, wholeNumberIn } from '@atelier/domain';
import { z } from 'zod';
import { DEVICE_CHOICES, ENGINE_CHOICES } from '../engines/devices.ts';
import { EpochReport } from '../epoch-report.ts';
import { RUN_STATES } from '../runs/run-states.ts';
import { Run, RunRequest } from '../runs/run.ts';

/** What may stand in the place of a recipe's fields; `contract/requested-recipe.ts` checks the recipe that comes of it. */
const Fields = z.record(z.string(), z.unknown());

/** The body of `POST /runs`. */
export const NewRunBody = z.strictObject({
  recipe: z
    .union([z.string(), Fields], 'expected the name of a recipe, or a whole recipe')
    .describe('The name of a recipe, or a whole one (see docs/training.md)'),
  overrides: Fields.default({}).describe(
    "Fields in place of the recipe's, merged as RFC 7396 says; an object of another `kind` replaces the one there was",
  ),
  seed: Recipe.shape.seed.optional().describe("In place of the recipe's"),
  engine: z.enum(ENGINE_CHOICES).default('auto').describe('Which engine trains; auto takes the best that works'),
  device: z
    .enum(DEVICE_CHOICES)
    .default('auto')
    .describe('Where it computes; one that is asked for is never replaced by another'),
  threads: wholeNumberIn({ from: 1, to: 256 })
    .nullable()
    .default(null)
    .describe('Of the ONNX engine on the CPU; null: one for each core'),
  limit: wholeNumberIn({ from: 100, to: 60_000 })
    .nullable()
    .default(null)
    .describe('Train and validate on so many images, for trying things; null: on all'),
  publish: z
    .boolean()
    .default(false)
    .describe('Publish the result as the next version, unless the newest one has a higher validation accuracy'),
});
export type NewRunBody = z.infer<typeof NewRunBody>;

/** `POST /runs/<id>/publish`; no body at all is the same as an empty one. */
export const PublishBody = z.strictObject({
  force: z.boolean().default(false).describe('Publish although the newest version has a higher validation accuracy'),
});

const cursor = z.string().max(500).optional().describe('`next` of the page before');

/** The query of `GET /runs`. */
export const RunsQuery = z.strictObject({
  state: z.enum(RUN_STATES).optional().describe('Only runs in this state'),
  recipe: z.string().max(64).optional().describe('Only runs of the recipe of this name'),
  search: z.string().max(200).optional().describe('Only trials of this search'),
  limit: z
    .string()
    .regex(/^([1-9]\d?|[1-4]\d\d|500)$/, 'expected a whole number from 1 to 500')
    .transform(Number)
    .default(50)
    .describe('Runs on a page, 1 to 500'),
  after: cursor,
});

/** A recipe with its defaults filled in; a component of the document can be named once only. */
export const WholeRecipe = Recipe.meta({
  id: 'Recipe',
  description: 'A recipe, whole: docs/training.md lists its fields',
});

const fields = Run.shape;

/** A run as a client sees it. */
export const RunResource = z
  .strictObject({
    id: fields.id,
    state: fields.state.describe('A run whose folder is damaged counts as failed'),
    recipe: WholeRecipe.nullable().describe('Whole; null where the folder is damaged'),
    request: RunRequest.nullable().describe('What was asked for; null of a run that is older than that'),
    queuedAt: z.iso.datetime().nullable().describe('Null for a run of the command line'),
    startedAt: fields.startedAt,
    resumedAt: z.array(z.iso.datetime()),
    endedAt: fields.endedAt,
    engine: fields.engine,
    data: fields.data,
    epochs: z.int().min(0).describe('Completed'),
    bestEpoch: fields.bestEpoch,
    recoveries: z
      .int()
      .min(0)
      .describe('Times that it was resumed by itself after a crash, since it was last asked for'),
    cancelRequested: z.boolean().describe('It ends as soon as its process has heard of it'),
    trial: z
      .strictObject({ search: z.string(), number: z.int().min(0) })
      .nullable()
      .describe('Of which search'),
    error: fields.error.describe('Why it ended early, or what is damaged'),
    publishAs: z.string().nullable().describe('The model whose next version it was asked to become'),
    published: fields.published,
    unpublished: z
      .strictObject({ code: z.string(), message: z.string() })
      .nullable()
      .describe('Why it was not published although it was asked for'),
  })
  .meta({ id: 'Run', description: 'A run of a recipe' });
export type RunResource = z.infer<typeof RunResource>;

export const RunsPage = z.strictObject({
  runs: z.array(RunResource).describe('The newest first'),
  next: z.string().nullable().describe('`after` of the next page; null on the last'),
});
export type RunsPage = z.infer<typeof RunsPage>;

export const RunHistory = z.strictObject({ epochs: z.array(EpochReport).describe('Ascending') });

export const PublishedRun = z.strictObject({
  name: z.string(),
  version: z.int().positive(),
  digest: z.string(),
  isNew: z.boolean().describe('False where the run was this version before'),
});
export type PublishedRun = z.infer<typeof PublishedRun>;
