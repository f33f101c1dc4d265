import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { readLatestEvents } from '../runs/latest-events.ts';
import { RUN_STATES } from '../runs/run-states.ts';
import type { StoredRun } from '../runs/run-store.ts';
import type { Trainer } from './trainer.ts';

/** What is measured of each run that trains now: a handful, however many runs there were. */
const OF_RUNNING = {
  images_per_second: 'Images trained on in a second',
  step_seconds: 'Seconds that an optimiser step takes',
  epoch: 'The epoch that it is in, counted from 1',
  training_loss: "Mean loss of the epoch's steps so far, in nats",
  validation_loss: 'Mean cross-entropy on the validation images after the last epoch, in nats',
  validation_accuracy: 'Share of the validation images that it classifies rightly after the last epoch',
} as const;
type OfRunning = keyof typeof OF_RUNNING;

/** What a trainer has to say of its process and of its runs; the latter is read from their folders when it is asked for. */
export function trainerMetrics(trainer: Trainer): Registry {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  new Gauge({
    name: 'atelier_trainer_queue_length',
    help: 'Runs that wait in the queue',
    registers,
    async collect() {
      this.reset();
      const length = await trainer.queueLength().catch(() => null);
      if (length !== null) this.set(length); // else it has no value: the queue cannot be reached
    },
  });
  const running = Object.entries(OF_RUNNING).map(
    ([name, help]) =>
      [
        name as OfRunning,
        new Gauge({ name: `atelier_trainer_run_${name}`, help, labelNames: ['run', 'recipe'], registers }),
      ] as const,
  );
  new Gauge({
    name: 'atelier_trainer_runs',
    help: 'Runs by state',
    labelNames: ['state'],
    registers,
    async collect() {
      const runs = await trainer.store.list();
      for (const state of RUN_STATES) this.set({ state }, runs.filter((run) => run.state === state).length);
      for (const [, gauge] of running) gauge.reset();
      for (const stored of runs.filter(({ state }) => state === 'running')) {
        const measured = await measure(stored);
        for (const [name, gauge] of running) {
          const value = measured[name];
          if (value != null) gauge.set({ run: stored.id, recipe: stored.run?.recipe.name ?? '' }, value);
        }
      }
    },
  });
  return registry;
}

async function measure({ directory, run }: StoredRun): Promise<Partial<Record<OfRunning, number>>> {
  const { step, epoch } = await readLatestEvents(directory);
  const imagesPerSecond = step?.imagesPerSecond ?? epoch?.imagesPerSecond;
  return {
    ...(imagesPerSecond === undefined ? {} : { images_per_second: imagesPerSecond }),
    ...(imagesPerSecond === undefined || run === null ? {} : { step_seconds: run.recipe.batchSize / imagesPerSecond }),
    ...(step === null ? {} : { epoch: step.epoch, training_loss: step.loss }),
    ...(epoch === null
      ? {}
      : { validation_loss: epoch.validation.loss, validation_accuracy: epoch.validation.accuracy }),
  };
}
