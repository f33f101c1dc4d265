import type { Recipe } from '@atelier/domain';
import type { Device, EngineName } from '../engines/devices.ts';
import type { Search, SearchRequest } from '../searches/search.ts';
import type { TrialLook } from '../searches/trial-runs.ts';
import type { TrainingTask } from './task.ts';

/** How long another process may keep a run's folder: one that has just trained writes the report. */
const REPORT_MS = 30_000;

/**
 * What a service has done in a process of its own although it takes only seconds: native libraries work here, which may
 * crash, and would occupy the service's event loop. Each loads what it needs and no more.
 */
export const ERRANDS = {
  /** Each engine and device, tried. */
  devices: async ({ engines }: DevicesErrand) => {
    const { CANDIDATES } = await import('../engines/candidates.ts');
    const { listDevices } = await import('../engines/list-devices.ts');
    return listDevices(CANDIDATES.filter(({ engine }) => engines.includes(engine)));
  },
  /** A small training with one engine on one device. */
  'try-training': async ({ engine, device }: TryTrainingErrand) => {
    const { tryTraining } = await import('../engines/try-training.ts');
    return tryTraining(engine, device);
  },
  /** The trials of a new search, or what is wrong with its space. */
  'draw-search': async ({ request, recipe, parallel }: DrawSearchErrand) => {
    const { drawSearch } = await import('../searches/draw-search.ts');
    return drawSearch(request, recipe, parallel);
  },
  /** The page and the best recipe of a search. */
  'search-results': async ({ runsDirectory, search, looks }: SearchResultsErrand) => {
    const { writeSearchResults } = await import('../searches/write-results.ts');
    await writeSearchResults(runsDirectory, search, new Map(looks));
  },
  /** The report of a run, where it is missing. */
  report: async ({ directory, dataset }: ReportErrand) => {
    const { loadFashionMnist } = await import('@atelier/fashion-mnist');
    const { writeReport } = await import('../report/write-report.ts');
    await writeReport(directory, await loadFashionMnist(dataset));
  },
  publish: async ({ directory, modelsDirectory, name, force }: PublishErrand) => {
    const { publishRun } = await import('../publish-run.ts');
    const { withRunFolder } = await import('../runs/with-run-folder.ts');
    return withRunFolder(directory, REPORT_MS, (folder) => publishRun(folder, modelsDirectory, name, { force }));
  },
} as const satisfies Record<string, (task: never) => Promise<unknown>>;

export interface DevicesErrand {
  engines: readonly EngineName[];
}

export interface TryTrainingErrand {
  engine: EngineName;
  device: Device;
}

export interface DrawSearchErrand {
  request: SearchRequest;
  recipe: Recipe;
  /** For a request without its own. */
  parallel: number;
}

export interface SearchResultsErrand {
  runsDirectory: string;
  search: Search;
  looks: readonly (readonly [number, TrialLook | null])[];
}

export interface ReportErrand {
  directory: string;
  dataset: TrainingTask['dataset'];
}

export interface PublishErrand {
  directory: string;
  modelsDirectory: string;
  name: string;
  force: boolean;
}

export type Errand = keyof typeof ERRANDS;
export type ErrandTask<Name extends Errand> = Parameters<(typeof ERRANDS)[Name]>[0];
export type ErrandResult<Name extends Errand> = Awaited<ReturnType<(typeof ERRANDS)[Name]>>;
