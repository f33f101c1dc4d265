/** Numbers of each optimiser. AdamW is adam with decoupled weight decay. */
export interface OptimizerSettings {
  /** w − η·g */
  sgd: object;
  /** Heavy ball, or Nesterov's form of it (Sutskever et al. 2013). */
  momentum: { momentum: number; nesterov: boolean };
  /** Tieleman and Hinton 2012; `epsilon` is added to the mean square before the root. */
  rmsprop: { decay: number; momentum: number; epsilon: number };
  /** arXiv 1412.6980; `epsilon` is added to the root of the corrected second moment. */
  adam: { beta1: number; beta2: number; epsilon: number };
}
export type OptimizerKind = keyof OptimizerSettings;

/** An optimiser with every number. */
export type Optimizer = { [K in OptimizerKind]: { kind: K } & OptimizerSettings[K] }[OptimizerKind];

/** An optimiser by its name, with those numbers that are not to be the default. */
export type OptimizerChoice = { [K in OptimizerKind]: { kind: K } & Partial<OptimizerSettings[K]> }[OptimizerKind];

/** What is usual: Adam's are those of its paper. */
const DEFAULTS: { readonly [K in OptimizerKind]: OptimizerSettings[K] } = {
  sgd: {},
  momentum: { momentum: 0.9, nesterov: false },
  rmsprop: { decay: 0.9, momentum: 0, epsilon: 1e-7 },
  adam: { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
};

/**
 * Fills in the defaults, also for what is undefined, and rounds to float32: what the graph multiplies by, so that a factor
 * and 1 minus it add up to 1. A number that is out of its range then is a `RangeError`: factors are from 0 to below 1,
 * epsilon above 0.
 */
export function completeOptimizer(choice: OptimizerChoice): Optimizer {
  if (!Object.hasOwn(DEFAULTS, choice.kind)) {
    throw new RangeError(`optimizer.kind is ${choice.kind}; expected ${Object.keys(DEFAULTS).join(', ')}.`);
  }
  const given = Object.entries(choice).filter(([, setting]) => setting !== undefined);
  const complete = { ...DEFAULTS[choice.kind], ...Object.fromEntries(given) } as Record<string, unknown>;
  for (const name of ['momentum', 'decay', 'beta1', 'beta2', 'epsilon']) {
    if (!(name in DEFAULTS[choice.kind])) continue;
    const number = complete[name];
    const rounded = typeof number === 'number' ? Math.fround(number) : NaN;
    const isEpsilon = name === 'epsilon';
    if (!(isEpsilon ? rounded > 0 && rounded < Infinity : rounded >= 0 && rounded < 1)) {
      const expected = isEpsilon ? 'a number above 0' : 'a number from 0 to below 1';
      throw new RangeError(`optimizer.${name} is ${String(number)}; expected ${expected} in float32.`);
    }
    complete[name] = rounded;
  }
  return complete as Optimizer; // defaults and choice are of one kind
}
