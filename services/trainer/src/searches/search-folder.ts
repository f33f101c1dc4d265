import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describeIssues, DomainError, messageOf } from '@atelier/domain';
import { z } from 'zod';
import { jsonFile } from '../runs/run-folder.ts';
import { readText } from '../runs/run.ts';
import { writeWholeFile } from '../runs/whole-file.ts';
import { Search } from './search.ts';

/** As `newSearch` makes them: the second, the recipe, eight hexadecimal digits. Nothing that leads out of a folder. */
const ID = /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-[a-z0-9]+(-[a-z0-9]+)*$/;
const FILE = 'search.json';

/** The folder of a search; `search-not-found` where the id is not of the form of one. */
export function searchFolder(runsDirectory: string, id: string): string {
  if (ID.test(id)) return join(runsDirectory, 'searches', id);
  throw notFound(id);
}

/** Writes `search.json` whole, or leaves the one there was; `disk-full` where there is no room. */
export async function saveSearch(runsDirectory: string, search: Search): Promise<void> {
  await writeWholeFile(join(searchFolder(runsDirectory, search.id), FILE), jsonFile(search));
}

/** `search-not-found` where there is none; `invalid-search` names the file and each faulty field. */
export async function readSearch(runsDirectory: string, id: string): Promise<Search> {
  const path = join(searchFolder(runsDirectory, id), FILE);
  let text: string | null;
  try {
    text = await readText(path);
  } catch (cause) {
    throw new DomainError('invalid-search', messageOf(cause), { cause });
  }
  if (text === null) throw notFound(id);
  return parseSearch(text, path);
}

export interface SearchList {
  /** The newest first. */
  searches: Search[];
  /** Those whose file cannot be read, and why. */
  damaged: { id: string; error: DomainError }[];
}

/** Of every folder that may be one of a search, the newest second first. */
export function listSearchIds(runsDirectory: string): Promise<string[]> {
  return searchIds(join(runsDirectory, 'searches'));
}

/** Every search there is; a damaged one does not hide the others. */
export async function listSearches(runsDirectory: string): Promise<SearchList> {
  const list: SearchList = { searches: [], damaged: [] };
  for (const id of await listSearchIds(runsDirectory)) {
    try {
      list.searches.push(await readSearch(runsDirectory, id));
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      // A folder without its file is a search that was killed before it was there.
      if (error.code !== 'search-not-found') list.damaged.push({ id, error });
    }
  }
  list.searches.sort((one, other) => other.createdAt.localeCompare(one.createdAt));
  return list;
}

async function searchIds(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).filter((name) => ID.test(name)).reverse();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function parseSearch(text: string, path: string): Search {
  try {
    return Search.parse(JSON.parse(text));
  } catch (cause) {
    const faults = cause instanceof z.ZodError ? describeIssues(cause) : messageOf(cause);
    throw new DomainError('invalid-search', `${path}: ${faults}`, { cause });
  }
}

function notFound(id: string): DomainError {
  return new DomainError('search-not-found', `No search ${JSON.stringify(id)}.`);
}
