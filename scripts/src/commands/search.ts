import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { DomainError, parseRecipe } from '@atelier/domain';
import { createLog, InvalidRequest } from '@atelier/http';
import {
  BEST_RECIPE_FILE,
  createTrainer,
  DEVICE_CHOICES,
  ENGINE_CHOICES,
  PAGE_FILE,
  type RankedTrial,
  readSearch,
  RECIPES,
  type Search,
  Searches,
  searchFolder,
  SearchRequest,
  searchTable,
} from '@atelier/trainer';
import { Command, Option } from '@commander-js/extra-typings';
import { wholeNumber } from '../arguments.ts';
import { interruptSignal } from '../interrupt.ts';
import { note, percent, print, printJson } from '../output.ts';
import { readJson, recipeFrom } from '../recipe-from.ts';
import type { Settings } from '../settings.ts';

/** How often what the trials came to is looked at, in ms. */
const LOOK_MS = 500;

export function searchCommand(settings: Settings) {
  const command = new Command('search')
    .description('Search hyperparameters: draw recipes at random, train each, stop weak ones early.')
    .option('--recipe <name or file>', `what is varied: one of ${[...RECIPES.keys()].join(', ')}, or a recipe as JSON`)
    .option('--trials <n>', 'recipes to draw', wholeNumber(1, 1000))
    .option('--space <file>', 'what is tried, as JSON; default: the settings of its training (see docs/trainer-api.md)')
    .option('--epochs <n>', "instead of the recipe's", wholeNumber(1, 10_000))
    .option('--seed <n>', 'decides what is drawn', wholeNumber(0, 2 ** 31 - 1), 0)
    .option('--no-halving', 'train every trial to its end')
    .option('--reduction <n>', 'of so many trials one goes on from each rung', wholeNumber(2, 10))
    .option('--minimum-epochs <n>', 'that every trial gets', wholeNumber(1, 10_000))
    .option('--parallel <n>', 'trials at a time', wholeNumber(1, 64), 1)
    .addOption(new Option('--engine <name>').choices(ENGINE_CHOICES).default('auto' as const))
    .addOption(new Option('--device <name>').choices(DEVICE_CHOICES).default('auto' as const))
    .option('--limit <n>', 'train and validate on this many images (for trying things)', wholeNumber(100, 60_000))
    .addOption(
      new Option('--continue <search>', 'go on with a search that was interrupted, by its id').conflicts([
        ...['recipe', 'trials', 'space', 'epochs', 'limit', 'seed', 'engine', 'device'],
        ...['halving', 'reduction', 'minimumEpochs'],
      ]),
    )
    .option('--out <file>', 'write the best recipe there, too')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', EXAMPLES);
  return command.action(async (options) => {
    const { recipe: name, trials, engine, device, seed, parallel, limit } = options;
    if (options.continue === undefined && (name === undefined || trials === undefined)) {
      command.error("error: required options '--recipe <name or file>' and '--trials <n>' not specified");
    }
    const halving = options.halving
      ? {
          ...(options.reduction === undefined ? {} : { reduction: options.reduction }),
          ...(options.minimumEpochs === undefined ? {} : { minimumEpochs: options.minimumEpochs }),
        }
      : null;
    const begin = async (searches: Searches): Promise<string> => {
      if (options.continue !== undefined) {
        const { id } = await readSearch(settings.runsDirectory, options.continue);
        if (await searches.goOn(id)) return id;
        throw new DomainError('run-in-use', `The search ${id} is carried through by another process.`);
      }
      const named = await recipeFrom(name ?? '');
      const recipe = options.epochs === undefined ? named : parseRecipe({ ...named, epochs: options.epochs });
      const space = options.space === undefined ? {} : { space: await readJson(options.space) };
      const wanted = { recipe, trials, ...space, halving, seed, engine, device, parallel };
      const request = parsedRequest({ ...wanted, ...(limit === undefined ? {} : { limit }) });
      return (await searches.submit(request, recipe)).id;
    };
    const { search, trials: ranked, epochs, fullEpochs } = await carryThrough(settings, parallel, begin);
    const directory = searchFolder(settings.runsDirectory, search.id);
    const best = join(directory, BEST_RECIPE_FILE);
    if (options.out !== undefined) await writeFile(options.out, await readFile(best));
    if (options.json) {
      printJson({
        search: search.id,
        state: search.state,
        directory,
        bestRecipe: best,
        epochs,
        fullEpochs,
        trials: ranked,
      });
      return;
    }
    print(searchTable(search, { trials: ranked }));
    print(`${epochs} epochs of ${fullEpochs} were trained`);
    print(`Report: ${join(directory, PAGE_FILE)}`);
    print(`Best recipe: ${best}`);
    print(`Train it with: npm run train -- --recipe ${best}`);
  });
}

interface CarriedThrough {
  search: Search;
  trials: readonly RankedTrial[];
  epochs: number;
  fullEpochs: number;
}

/** What `begin` begins, to its end; the trials are trained here, or by workers where a queue is named. */
async function carryThrough(
  settings: Settings,
  parallel: number,
  begin: (searches: Searches) => Promise<string>,
): Promise<CarriedThrough> {
  const log = createLog('search', 'silent');
  const signal = interruptSignal('Stopping; the search can be continued. Once more to stop at once.');
  let id: string | null = null;
  const { trainer, trainsHere } = createTrainer(
    settings.readTrainerConfig(),
    log,
    ({ run }) => run?.job?.trial?.search === id, // other runs are whoever's who began them
  );
  const searches = new Searches(trainer, { parallel, pollMs: 100 }, log);
  try {
    id = await begin(searches);
    note(`Search: ${searchFolder(settings.runsDirectory, id)}`);
    await trainer.start();
    if (trainsHere) await trainer.work(parallel);
    await showUntilEnded(searches, id, signal);
    const { search, results } = await searches.find(id);
    if (search.endedAt === null) {
      note(`Go on with: npm run search -- --continue ${id}`);
      throw new Error('The search was interrupted.');
    }
    if (search.error !== null) throw new Error(search.error.message);
    return { search, ...results };
  } finally {
    await searches.stop();
    await trainer.stop();
  }
}

/** A line for each trial that came further, until the search has ended or `signal` aborts. */
async function showUntilEnded(searches: Searches, id: string, signal: AbortSignal): Promise<void> {
  const shown = new Map<number, string>();
  let hasEnded = false;
  void searches.ended(id).then(() => (hasEnded = true));
  while (!signal.aborted) {
    const isLast = hasEnded;
    const { results } = await searches.find(id);
    for (const trial of results.trials.toSorted((one, other) => one.number - other.number)) {
      const line = lineOf(trial, results.trials.length);
      if (line === null || shown.get(trial.number) === line) continue;
      shown.set(trial.number, line);
      note(line);
    }
    if (isLast) return;
    await pause(LOOK_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** Null for one that has come to nothing yet. */
function lineOf({ number, state, epochs, best }: RankedTrial, count: number): string | null {
  if (state !== 'paused' && state !== 'finished' && state !== 'failed') return null;
  const trial = `Trial ${String(number).padStart(String(count).length)}: ${state}`;
  return best === null
    ? trial
    : `${trial} after ${epochs} ${epochs === 1 ? 'epoch' : 'epochs'}, best validation accuracy ${percent(best.accuracy)}`;
}

/** A fault of the space, which comes from a file, is told with its place. */
function parsedRequest(source: unknown): SearchRequest {
  const parsed = SearchRequest.safeParse(source);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) => ({ pointer: `/${path.join('/')}`, detail: message }));
  throw new InvalidRequest(faults.map(({ pointer, detail }) => `${pointer}: ${detail}`).join('; '), faults);
}

const EXAMPLES = `
Examples:
  npm run search -- --recipe ann-128 --trials 20
  npm run search -- --recipe deep-bn --trials 30 --epochs 20 --space space.json --out best.json
  npm run search -- --continue 2026-01-31T12-00-00-ann-128-1f2e3d4c`;
