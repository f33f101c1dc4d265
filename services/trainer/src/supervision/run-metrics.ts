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
      const length = await trainer.queueLength().catch(() => null);
      if (length !== null) this.set(length);
      else this.remove(); // it has no value: the queue cannot be reached; `reset` would make it 0
    },
  });
  const look = onceAtATime(async () => {
    const runs = await trainer.store.list().catch(() => []); // where they cannot be read, /readyz says why
    const running = runs.filter(({ state }) => state === 'running');
    return { runs, running: await Promise.all(running.map(async (run) => ({ run, measured: await measure(run) }))) };
  });
  new Gauge({
    name: 'atelier_trainer_runs',
    help: 'Runs by state',
    labelNames: ['state'],
    registers,
    async collect() {
      const { runs } = await look();
      for (const state of RUN_STATES) this.set({ state }, runs.filter((run) => run.state === state).length);
    },
  });
  for (const [name, help] of Object.entries(OF_RUNNING)) {
    new Gauge({
      name: `atelier_trainer_run_${name}`,
      help,
      labelNames: ['run', 'recipe'],
      registers,
      async collect() {
        const { running } = await look();
        this.reset();
        for (const { run, measured } of running) {
          const value = measured[name as OfRunning];
          if (value !== undefined) this.set({ run: run.id, recipe: run.run?.recipe.name ?? '' }, value);
        }
      },
    });
  }
  return registry;
}

/** Whoever asks while an answer is on its way gets the same one: all gauges of a scrape. */
function onceAtATime<Answer>(ask: () => Promise<Answer>): () => Promise<Answer> {
  let pending: Promise<Answer> | null = null;
  return () => (pending ??= ask().finally(() => (pending = null)));
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
