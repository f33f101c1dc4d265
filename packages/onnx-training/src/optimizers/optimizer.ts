import type { GraphBuilder } from '../graph-builder.ts';
import { adam } from './adam.ts';
import { momentum } from './momentum.ts';
import type { OptimizerKind, OptimizerSettings } from './optimizer-settings.ts';
import { rmsprop } from './rmsprop.ts';
import { sgd } from './sgd.ts';

/** What an update rule is given, as names of values in the graph. */
export interface ParameterUpdate<K extends OptimizerKind = OptimizerKind> {
  graph: GraphBuilder;
  settings: OptimizerSettings[K];
  /** The value that changes; a gradient of its shape; the learning rate, a scalar. */
  parameter: string;
  gradient: string;
  learningRate: string;
  /** By the names that `slots` lists; each has the parameter's shape and begins as zeros. */
  slots: Readonly<Record<string, string>>;
  /** Scalars of this step, from `perStep`. */
  scalars: Readonly<Record<string, string>>;
}

export interface UpdateRule<K extends OptimizerKind> {
  /** Names of the tensors that are kept for each parameter from one step to the next. */
  readonly slots: readonly string[];
  /** Scalars that are the same for all parameters of a step; `step` is a float32 scalar that counts from 1. */
  readonly perStep?: (
    graph: GraphBuilder,
    settings: OptimizerSettings[K],
    learningRate: string,
    step: string,
  ) => Record<string, string>;
  /** Adds the nodes of one parameter's update: its new value, and the new value of each slot. */
  readonly update: (update: ParameterUpdate<K>) => { parameter: string; slots: Record<string, string> };
}

/** Every optimiser, as the nodes that one step of it takes. */
export const UPDATE_RULES: { readonly [K in OptimizerKind]: UpdateRule<K> } = { sgd, momentum, rmsprop, adam };
