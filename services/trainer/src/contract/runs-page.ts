import { InvalidRequest } from '@atelier/http';
import type { z } from 'zod';
import type { StoredRun } from '../runs/run-store.ts';
import type { RunsQuery } from './runs.ts';

/** What stands on a page, and how to ask for the next one. */
export interface Page {
  runs: StoredRun[];
  next: string | null;
}

/**
 * The runs that a query asks for, of all runs with the newest first. A page goes on behind a place in that order, not behind
 * a number of runs: runs that come or go meanwhile are neither shown twice nor left out.
 */
export function runsPage(runs: readonly StoredRun[], query: z.infer<typeof RunsQuery>): Page {
  const { state, recipe, search, limit, after } = query;
  const place = after === undefined ? null : placeOf(after);
  const asked = runs.filter(
    (stored) =>
      (state === undefined || stored.state === state) &&
      (recipe === undefined || stored.run?.recipe.name === recipe) &&
      (search === undefined || stored.run?.job?.trial?.search === search) &&
      (place === null || isBehind(stored, place)),
  );
  const page = asked.slice(0, limit);
  const last = page.at(-1);
  return { runs: page, next: last === undefined || asked.length === page.length ? null : cursorTo(last) };
}

interface Place {
  createdAt: string;
  id: string;
}

function isBehind({ createdAt, id }: StoredRun, place: Place): boolean {
  return createdAt < place.createdAt || (createdAt === place.createdAt && id < place.id);
}

function cursorTo({ createdAt, id }: StoredRun): string {
  return Buffer.from(`${createdAt} ${id}`).toString('base64url');
}

const PLACE = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z) (\S+)$/;

function placeOf(cursor: string): Place {
  const [, createdAt, id] = PLACE.exec(Buffer.from(cursor, 'base64url').toString()) ?? [];
  if (createdAt !== undefined && id !== undefined) return { createdAt, id };
  const detail = 'expected what a page gave as `next`';
  throw new InvalidRequest('The query does not match its schema.', [{ parameter: 'after', detail }]);
}
