import type { OnnxGraph, OnnxNode } from '@atelier/onnx';
import { takenBy } from './value-names.ts';

export interface Hoisted {
  /** Nodes that give the same for a vector of steps as for each step alone. */
  before: readonly OnnxNode[];
  /** The step without them. */
  nodes: readonly OnnxNode[];
  /** All values that are scalars of a step, and those among them that `nodes` take. */
  scalars: ReadonlySet<string>;
  values: readonly string[];
}

/** Operators that treat each element alone. */
const ELEMENTWISE = new Set(['Add', 'Sub', 'Mul', 'Div', 'Pow', 'Sqrt', 'Neg', 'Reciprocal', 'Max', 'Min', 'Cast']);

/**
 * Takes those nodes out of a step that depend on nothing but `scalars` and scalar constants: corrections of an optimiser,
 * decay by the learning rate. Computed for all steps of a call at once they cost nothing; in the loop each costs as much
 * as an operator on thousands of elements. What gives one of `results` stays in the step.
 */
export function hoistScalars(
  { nodes, initializers }: OnnxGraph,
  scalars: readonly string[],
  results: ReadonlySet<string>,
): Hoisted {
  const constants = new Set(initializers.filter(({ shape }) => shape.length === 0).map(({ name }) => name));
  const hoisted = new Set(scalars);
  const before = nodes.filter(({ domain, opType, inputs, outputs }) => {
    const dependsOnScalars = inputs.some((name) => hoisted.has(name));
    const onNothingElse = inputs.every((name) => hoisted.has(name) || constants.has(name));
    if (domain !== '' || !ELEMENTWISE.has(opType) || !dependsOnScalars || !onNothingElse) return false;
    if (outputs.some((name) => results.has(name))) return false;
    for (const name of outputs) hoisted.add(name);
    return true;
  });
  const gone = new Set(before);
  const rest = nodes.filter((each) => !gone.has(each));
  const taken = new Set(rest.flatMap(takenBy));
  return { before, nodes: rest, scalars: hoisted, values: [...hoisted].filter((name) => taken.has(name)) };
}
