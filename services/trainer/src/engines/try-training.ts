import { CLASS_COUNT, parseRecipe, PIXELS_PER_IMAGE } from '@atelier/domain';
import type { TrainingExamples } from '@atelier/fashion-mnist';
import { type Candidate, CANDIDATES } from './candidates.ts';
import type { Device, EngineName } from './devices.ts';
import type { DeviceReport } from './list-devices.ts';

/** Every kind of layer that our recipes have, small enough to train in milliseconds. */
const RECIPE = parseRecipe({
  name: 'trial',
  description: 'Proves that a device trains',
  hiddenLayers: [{ units: 8, activation: 'relu', batchNormalization: 'before-activation', dropout: 0.1 }],
  initializer: 'glorot-uniform',
  inputRange: [0, 1],
  optimizer: { kind: 'adam', learningRate: 0.05 },
  batchSize: 20,
  epochs: 1,
  validationShare: 0.2,
  seed: 1,
});

const STEPS = 20;

/** Loads an engine on a device and trains a small network with it: what is usable has learned. */
export async function tryTraining(engine: EngineName, device: Device): Promise<DeviceReport> {
  const candidate = CANDIDATES.find((each) => each.engine === engine && each.device === device);
  if (candidate === undefined) throw new RangeError(`No engine "${engine}" on ${device}.`);
  const report = (fault: string | null, name: string | null): DeviceReport =>
    fault === null
      ? { engine, device, usable: true, name, reason: null, remedy: null }
      : { engine, device, usable: false, name: null, reason: fault, remedy: candidate.remedy };
  const probe = await candidate.probe();
  if (!probe.usable) return report(probe.reason, null);
  return report(await faultOfTraining(probe), probe.device);
}

/** Null where the loss falls from step to step as it must. */
async function faultOfTraining({ create }: Extract<Awaited<ReturnType<Candidate['probe']>>, { usable: true }>) {
  const engine = await create(RECIPE);
  try {
    const losses = await engine.train(drawnExamples(), new Float32Array(STEPS).fill(RECIPE.optimizer.learningRate));
    const [first = NaN, last = NaN] = [losses.at(0), losses.at(-1)];
    return last < first ? null : `in ${STEPS} steps the loss goes from ${first} to ${last}`;
  } finally {
    await engine.dispose();
  }
}

/** `STEPS` times the same batch: a bright row for each class, at another height. */
function drawnExamples(): TrainingExamples {
  const count = STEPS * RECIPE.batchSize;
  const images = new Uint8Array(count * PIXELS_PER_IMAGE);
  const targets = new Float32Array(count * CLASS_COUNT);
  for (let example = 0; example < count; example++) {
    const label = example % CLASS_COUNT;
    const row = example * PIXELS_PER_IMAGE + 2 * label * 28;
    images.fill(255, row, row + 2 * 28);
    targets[example * CLASS_COUNT + label] = 1;
  }
  return { count, images, targets };
}
