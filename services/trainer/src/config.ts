import { LOG_LEVELS, readSettings, wholeNumber } from '@atelier/http';
import { z } from 'zod';

/** Everything that the environment decides, read once at the start. */
export const TrainerConfig = z.object({
  host: z
    .string()
    .default('127.0.0.1')
    .meta({ variable: 'TRAINER_HOST', description: 'Address to listen on; only this machine reaches the default' }),
  port: wholeNumber(0, 65_535)
    .default(8081)
    .meta({ variable: 'TRAINER_PORT', description: 'TCP port; 0 takes any free one' }),
  runsDirectory: z
    .string()
    .default('runs')
    .meta({ variable: 'RUNS_DIR', description: 'Folder of the runs; must be writable' }),
  logLevel: z
    .enum(LOG_LEVELS)
    .default('info')
    .meta({ variable: 'LOG_LEVEL', description: 'Least important lines that are written' }),
});
export type TrainerConfig = Readonly<z.infer<typeof TrainerConfig>>;

/** `invalid-configuration` reports every fault together. */
export function readTrainerConfig(environment: Record<string, string | undefined>): TrainerConfig {
  return readSettings(TrainerConfig, environment);
}
