import { z } from 'zod';
import { Search, SearchRequest } from '../searches/search.ts';
import { NewRunBody } from './runs.ts';

/** The body of `POST /searches`: as `SearchRequest`, and as for a run the recipe by name or whole, with overrides. */
export const NewSearchBody = SearchRequest.extend({
  recipe: NewRunBody.shape.recipe,
  overrides: NewRunBody.shape.overrides,
});

const Score = z.strictObject({
  epoch: z.int().positive(),
  accuracy: z.number().min(0).max(1),
  loss: z.number().describe('In nats'),
});

/** A trial among the others, at any time of the search. */
const Trial = z.strictObject({
  place: z.int().positive().describe('1 is the best so far'),
  number: z.int().positive(),
  values: z.record(z.string(), z.unknown()).describe('By their pointers into the recipe'),
  state: z
    .enum(['waiting', 'outstanding', 'paused', 'finished', 'stopped', 'failed', 'deleted'])
    .describe('outstanding: queued or running; stopped: before its end, by the search or by hand'),
  epochs: z.int().min(0).describe('Trained so far'),
  best: Score.nullable().describe('Its best epoch on the validation images'),
  seconds: z.number().min(0).describe('Training alone'),
  run: z.string().nullable(),
});

/** A search as a client sees it. */
export const SearchResource = Search.extend({
  trials: z.array(Trial).describe('The best first'),
  epochs: z.int().min(0).describe('Trained by all trials together'),
  fullEpochs: z.int().min(0).describe('What they would have trained without being stopped early'),
  seconds: z.number().min(0).describe('Training alone, of all trials'),
});
export type SearchResource = z.infer<typeof SearchResource>;

export const SearchesList = z.strictObject({
  searches: z.array(Search.omit({ trials: true, request: true })).describe('The newest first'),
  damaged: z.array(z.strictObject({ id: z.string(), message: z.string() })).describe('Those that cannot be read'),
});
export type SearchesList = z.infer<typeof SearchesList>;
