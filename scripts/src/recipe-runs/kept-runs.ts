import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { messageOf, type Recipe } from '@atelier/domain';
import { z } from 'zod';
import { writeWholeFile } from '../write-file.ts';
import { KeptRun } from './measured-run.ts';

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
  #runs: KeptRun[];

  private constructor(path: string, runs: KeptRun[]) {
    this.#path = path;
    this.#runs = runs;
  }

  /** None where there is no such file; one that is damaged is an error that names it. */
  static async open(path: string): Promise<KeptRuns> {
    let text: string;
    try {
      text = await readFile(path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new KeptRuns(path, []);
      throw error;
    }
    try {
      return new KeptRuns(path, z.array(KeptRun).parse(JSON.parse(text)));
    } catch (cause) {
      throw new Error(`${path} holds no finished runs; remove it to begin anew: ${messageOf(cause)}`, { cause });
    }
  }

  /** The run of the same row, recipe, seed and number of images. */
  find({ row, recipe, limit }: WantedRun): KeptRun | undefined {
    return this.#runs.find(
      ({ figures, recipe: kept }) =>
        figures.row === row && figures.limit === limit && isDeepStrictEqual(kept, structuredClone(recipe)),
    );
  }

  /** In place of an earlier run of the same row and seed. */
  async keep(run: KeptRun): Promise<void> {
    const { row, seed } = run.figures;
    this.#runs = [...this.#runs.filter(({ figures }) => figures.row !== row || figures.seed !== seed), run];
    await mkdir(dirname(this.#path), { recursive: true });
    await writeWholeFile(this.#path, `${JSON.stringify(this.#runs, null, 2)}\n`);
  }
}
