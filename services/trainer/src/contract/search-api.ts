import type { RouteDescription } from '@atelier/http';
import { z } from 'zod';
import { WholeRecipe } from './runs.ts';
import { NewSearchBody, SearchesList, SearchResource } from './searches.ts';

const search = z.object({ id: z.string().meta({ description: 'Of a search' }) });
const Search = SearchResource.meta({ id: 'Search', description: 'A search and how its trials stand' });

export const SEARCHES: readonly RouteDescription[] = [
  {
    method: 'post',
    path: '/searches',
    tag: 'Searches',
    summary: 'Search hyperparameters',
    description:
      'Draws recipes at random from a space over the fields of one, trains each as an ordinary run, and stops weak ones ' +
      'early (asynchronous successive halving, arXiv 1810.05934) by their validation accuracy.',
    body: NewSearchBody.meta({ id: 'NewSearch' }),
    answers: {
      202: {
        description: 'The search, whose first trials wait now',
        schema: Search,
        headers: z.object({ Location: z.string().meta({ description: '`/searches/<id>`' }) }),
      },
    },
    problems: [
      ...(['invalid-request', 'invalid-recipe', 'teacher-not-found'] as const),
      ...(['engine-unavailable', 'device-unavailable', 'queue-unavailable', 'disk-full'] as const),
      ...(['malformed-json', 'unsupported-media-type', 'payload-too-large', 'malformed-body'] as const),
    ],
  },
  {
    method: 'get',
    path: '/searches',
    tag: 'Searches',
    summary: 'List searches, the newest first',
    answers: { 200: { description: 'Every search', schema: SearchesList.meta({ id: 'Searches' }) } },
    problems: [],
  },
  {
    method: 'get',
    path: '/searches/:id',
    tag: 'Searches',
    summary: 'One search, its trials in the order of their places',
    parameters: { path: search },
    answers: { 200: { description: 'The search', schema: Search } },
    problems: ['search-not-found', 'invalid-search'],
  },
  {
    method: 'get',
    path: '/searches/:id/report',
    tag: 'Searches',
    summary: 'What a search came to',
    parameters: { path: search },
    answers: {
      200: { description: 'A page with the table and a parallel-coordinates chart', contentType: 'text/html' },
    },
    problems: ['search-not-found', 'search-unfinished', 'invalid-search'],
  },
  {
    method: 'get',
    path: '/searches/:id/best-recipe',
    tag: 'Searches',
    summary: 'The recipe of the best trial so far',
    parameters: { path: search },
    answers: {
      200: { description: 'A whole recipe, as `POST /runs` takes it', schema: WholeRecipe },
    },
    problems: ['search-not-found', 'search-unfinished', 'invalid-search'],
  },
  {
    method: 'post',
    path: '/searches/:id/cancel',
    tag: 'Searches',
    summary: 'End a search and its trials',
    parameters: { path: search },
    answers: { 200: { description: 'The search', schema: Search } },
    problems: ['search-not-found', 'invalid-search', 'illegal-transition', 'run-in-use'],
  },
];
