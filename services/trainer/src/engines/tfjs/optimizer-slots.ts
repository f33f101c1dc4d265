import type { Optimizer } from '@atelier/domain';
import * as tf from '@tensorflow/tfjs-core';
import type { NamedVariable } from './optimizer.ts';

/** An optimiser's tensors: `iterations`, and `<slot>/<layer>/<weight>` for each slot of each variable. */
export type SlotMap = Record<string, tf.Tensor>;

/** What tfjs keeps for each variable, in the order in which it saves them. */
const SLOTS = {
  sgd: [],
  momentum: ['accumulation'],
  rmsprop: ['mean-square', 'moment'],
  adam: ['first-moment', 'second-moment'],
} as const satisfies Record<Optimizer['kind'], readonly string[]>;

const ITERATIONS = 'iterations';

/**
 * Adam's running products of its betas. tfjs does not save them but computes them anew as powers, which differ in the
 * last bits after some thirty steps.
 */
const POWERS = { adam: ['accBeta1', 'accBeta2'], sgd: [], momentum: [], rmsprop: [] } as const;

export function createOptimizer(optimizer: Optimizer): tf.Optimizer {
  const rate = optimizer.learningRate;
  switch (optimizer.kind) {
    case 'sgd':
      return tf.train.sgd(rate);
    case 'momentum':
      return tf.train.momentum(rate, optimizer.momentum, optimizer.nesterov);
    case 'rmsprop':
      return tf.train.rmsprop(rate, optimizer.decay, optimizer.momentum, optimizer.epsilon);
    case 'adam':
      return tf.train.adam(rate, optimizer.beta1, optimizer.beta2, optimizer.epsilon);
  }
}

/** Copies, which the caller disposes. */
export async function readSlots(
  optimizer: tf.Optimizer,
  kind: Optimizer['kind'],
  trainable: NamedVariable[],
): Promise<SlotMap> {
  const [iterations, ...saved] = (await optimizer.getWeights()).map(({ tensor }) => tensor);
  if (iterations === undefined) throw new Error('tfjs saved an optimiser without its iterations.');
  const names = saved.length === 0 ? [] : slotNames(kind, trainable);
  const slots: SlotMap = { [ITERATIONS]: iterations }; // made by getWeights for us; the others are the live ones
  names.forEach((name, index) => (slots[name] = tf.clone(at(saved, index))));
  for (const power of POWERS[kind]) slots[power] = tf.clone(powersOf(optimizer)[power]);
  return slots;
}

/** Refuses a slot that is missing, too many or of another shape before it writes any. */
export async function writeSlots(
  optimizer: tf.Optimizer,
  kind: Optimizer['kind'],
  trainable: NamedVariable[],
  slots: SlotMap,
): Promise<void> {
  const isFresh = !Object.keys(slots).some((name) => name.includes('/'));
  const moments = isFresh ? [] : slotNames(kind, trainable);
  const expected = [ITERATIONS, ...moments, ...POWERS[kind]];
  const surplus = Object.keys(slots).find((name) => !expected.includes(name));
  if (surplus !== undefined) throw new RangeError(`"optimizer/${surplus}" is no slot of ${kind}.`);
  const iterations = slotOf(slots, ITERATIONS, []);
  const saved = moments.map((name, index) => {
    const shape = trainable[index % trainable.length]?.variable.shape ?? [];
    return { name, tensor: slotOf(slots, name, shape) };
  });
  const powers = POWERS[kind].map((name) => ({ name, value: slotOf(slots, name, []) }));
  const whole = tf.cast(iterations, 'int32');
  await optimizer.setWeights([{ name: ITERATIONS, tensor: whole }, ...saved]);
  whole.dispose();
  for (const { name, value } of powers) powersOf(optimizer)[name].assign(value);
}

/**
 * tfjs declares `learningRate` protected and reads it anew at every step; SGD and momentum also keep it as a tensor behind
 * a setter. (instanceof is of no use here: tfjs takes every optimiser for an instance of every optimiser class.)
 */
export function setLearningRate(optimizer: tf.Optimizer, learningRate: number): void {
  if (hasSetter(optimizer)) optimizer.setLearningRate(learningRate);
  else (optimizer as unknown as { learningRate: number }).learningRate = learningRate;
}

function hasSetter(optimizer: tf.Optimizer): optimizer is tf.SGDOptimizer {
  return 'setLearningRate' in optimizer;
}

/** Slot by slot, and within a slot variable by variable, as tfjs saves them. */
function slotNames(kind: Optimizer['kind'], trainable: NamedVariable[]): string[] {
  return SLOTS[kind].flatMap((slot) => trainable.map(({ name }) => `${slot}/${name}`));
}

function slotOf(slots: SlotMap, name: string, shape: number[]): tf.Tensor {
  const slot = slots[name];
  if (slot?.shape.join() === shape.join()) return slot;
  const found = slot === undefined ? 'is missing' : `has shape [${slot.shape.join()}]`;
  throw new RangeError(`"optimizer/${name}" ${found}; expected [${shape.join()}].`);
}

/** tfjs declares them private. */
function powersOf(optimizer: tf.Optimizer): Record<'accBeta1' | 'accBeta2', tf.Variable> {
  return optimizer as unknown as Record<'accBeta1' | 'accBeta2', tf.Variable>;
}

function at(tensors: tf.Tensor[], index: number): tf.Tensor {
  const tensor = tensors[index];
  if (tensor === undefined) throw new RangeError(`tfjs saved ${tensors.length} slots; expected more than ${index}.`);
  return tensor;
}
