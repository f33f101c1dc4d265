import { loadFashionMnist } from '@atelier/fashion-mnist';
import { CANDIDATES } from '../engines/candidates.ts';
import type { EngineName } from '../engines/devices.ts';
import { listDevices } from '../engines/list-devices.ts';
import { publishRun } from '../publish-run.ts';
import { writeReport } from '../report/write-report.ts';
import { withRunFolder } from '../runs/with-run-folder.ts';
import type { TrainingTask } from './task.ts';
import type { Search } from '../searches/search.ts';
import type { TrialLook } from '../searches/trial-runs.ts';
import { writeSearchResults } from '../searches/write-results.ts';

/** How long another process may keep a run's folder: one that has just trained writes the report. */
const REPORT_MS = 30_000;

/**
 * What a service has done in a process of its own although it takes only seconds: native libraries work here, which may
 * crash, and would occupy the service's event loop.
 */
export const ERRANDS = {
  /** Each engine and device, tried. */
  devices: (task: DevicesErrand) => listDevices(CANDIDATES.filter(({ engine }) => task.engines.includes(engine))),
  /** The page and the best recipe of a search. */
  'search-results': ({ runsDirectory, search, looks }: SearchResultsErrand) =>
    writeSearchResults(runsDirectory, search, new Map(looks)),
  /** The report of a run, where it is missing. */
  report: async ({ directory, dataset }: ReportErrand) => {
    await writeReport(directory, await loadFashionMnist(dataset));
  },
  publish: ({ directory, modelsDirectory, name, force }: PublishErrand) =>
    withRunFolder(directory, REPORT_MS, (folder) => publishRun(folder, modelsDirectory, name, { force })),
} as const satisfies Record<string, (task: never) => Promise<unknown>>;

export interface DevicesErrand {
  engines: readonly EngineName[];
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
