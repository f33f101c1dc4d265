import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { messageOf, type Recipe } from '@atelier/domain';
import { z } from 'zod';
import { readTextIfThere, writeWholeFile } from '../files.ts';
import { MeasuredRun } from './measured-run.ts';

/** What a run is asked to be. */
export interface WantedRun {
  row: string;
  /** With the seed in it. */
  recipe: Recipe;
  limit: number | null;
}

/** The finished runs of a table in one JSON file, written after each, so that an interruption costs one run at most. */
export class KeptRuns {
  readonly #path: string;
  #runs: MeasuredRun[];

  private constructor(path: string, runs: MeasuredRun[]) {
    this.#path = path;
    this.#runs = runs;
  }

  /**
   * Those of the file at `path`, and of `others` those that it has nothing in place of. None where there is no such file;
   * one that is damaged is an error that names it.
   */
  static async open(path: string, others: readonly MeasuredRun[] = []): Promise<KeptRuns> {
    const runs = await readRuns(path);
    return new KeptRuns(path, [...others.filter((other) => !runs.some((run) => isInPlaceOf(run, other))), ...runs]);
  }

  /** The run of the same row, recipe, seed and number of images. */
  find({ row, recipe, limit }: WantedRun): MeasuredRun | undefined {
    const plain = structuredClone(recipe);
    return this.#runs.find((run) => run.row === row && run.limit === limit && isDeepStrictEqual(run.recipe, plain));
  }

  /** In place of an earlier run of the same row, seed and number of images. */
  async keep(run: MeasuredRun): Promise<void> {
    this.#runs = [...this.#runs.filter((earlier) => !isInPlaceOf(run, earlier)), run];
    await mkdir(dirname(this.#path), { recursive: true });
    await writeWholeFile(this.#path, `${JSON.stringify(this.#runs, null, 2)}\n`);
  }
}

function isInPlaceOf(run: MeasuredRun, earlier: MeasuredRun): boolean {
  return run.row === earlier.row && run.seed === earlier.seed && run.limit === earlier.limit;
}

async function readRuns(path: string): Promise<MeasuredRun[]> {
  const text = await readTextIfThere(path);
  if (text === null) return [];
  try {
    return z.array(MeasuredRun).parse(JSON.parse(text));
  } catch (cause) {
    throw new Error(`${path} holds no finished runs; remove it to begin anew: ${messageOf(cause)}`, { cause });
  }
}
