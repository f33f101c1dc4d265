import { DomainError, messageOf } from '@atelier/domain';
import { createApplication, type Log, probeRoutes } from '@atelier/http';
import type { Express } from 'express';
import { RECIPES } from './recipes/index.ts';
import { recipesRoute } from './routes/recipes.ts';
import { requireWritable } from './writable-folder.ts';

/** What the trainer's routes need. */
export interface TrainerParts {
  log: Log;
  /** Why the trainer cannot work, or null. */
  fault: DomainError | null;
}

export function buildTrainerApp({ log, fault }: TrainerParts): Express {
  const readiness = () => {
    if (fault !== null) throw fault;
    return { recipes: RECIPES.size };
  };
  return createApplication(log, [probeRoutes(readiness), recipesRoute(RECIPES.values())]);
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
