import { DomainError, messageOf } from '@atelier/domain';
import {
  countRequests,
  createApplication,
  type Log,
  metricsRoute,
  openApiRoutes,
  probeRoutes,
  LOOPBACK_NAMES,
  refuseForeignPages,
  requireToken,
} from '@atelier/http';
import type { Express, RequestHandler } from 'express';
import type { TrainerConfig } from './config.ts';
import { RECIPES } from './recipes/index.ts';
import { devicesRoute } from './routes/devices.ts';
import { recipesRoute } from './routes/recipes.ts';
import { runEventsRoute } from './routes/run-events.ts';
import { runFilesRoute } from './routes/run-files.ts';
import { runsRoute } from './routes/runs.ts';
import { searchesRoute } from './routes/searches.ts';
import type { Searches } from './searches/searches.ts';
import { trainerApi } from './contract/api.ts';
import type { FindMachines } from './supervision/known-devices.ts';
import { trainerMetrics } from './supervision/run-metrics.ts';
import type { Trainer } from './supervision/trainer.ts';
import { requireWritable } from './writable-folder.ts';

/** What the trainer's routes need. */
export interface TrainerParts {
  log: Log;
  trainer: Trainer;
  searches: Searches;
  findMachines: FindMachines;
  config: Pick<TrainerConfig, 'token' | 'maximumBodyBytes'>;
  /** Why the trainer cannot work, or null. */
  fault: DomainError | null;
  /** Aborts when the service stops. */
  closing: AbortSignal;
}

const PROBES = ['/healthz', '/readyz'];

/** The application; needs no port. */
export function buildTrainerApp({
  log,
  trainer,
  searches,
  findMachines,
  config,
  fault,
  closing,
}: TrainerParts): Express {
  const refuseFaulty: RequestHandler = (_request, _response, next) => {
    if (fault !== null) throw fault;
    next();
  };
  const readiness = () => {
    const found = fault ?? trainer.fault;
    if (found !== null) throw found;
    return { recipes: RECIPES.size };
  };
  const token = config.token ?? null;
  const { maximumBodyBytes } = config;
  const registry = trainerMetrics(trainer);
  return createApplication(log, [
    countRequests(registry),
    refuseForeignPages(token === null ? LOOPBACK_NAMES : null),
    requireToken(token, PROBES),
    probeRoutes({ readiness }),
    metricsRoute(registry),
    openApiRoutes(trainerApi),
    recipesRoute(),
    devicesRoute(findMachines),
    refuseFaulty,
    runEventsRoute({ store: trainer.store, closing }),
    runFilesRoute({ store: trainer.store, writeMissingReport: (run) => trainer.writeMissingReport(run) }),
    runsRoute({ trainer, findMachines, maximumBodyBytes }),
    searchesRoute({ searches, findMachines, runsDirectory: trainer.store.directory, maximumBodyBytes }),
  ]);
}

/** A trainer that cannot write its runs is up, to say so, and not ready. */
export async function findFault(runsDirectory: string): Promise<DomainError | null> {
  try {
    await requireWritable(runsDirectory, 'RUNS_DIR');
    return null;
  } catch (cause) {
    return new DomainError('not-ready', messageOf(cause), { cause });
  }
}
