import type { OnnxGraph, OnnxNode } from '@atelier/onnx';
import { DifferentiatedNode } from './differentiated-node.ts';
import { malformedGraph, notDifferentiable } from './errors.ts';
import { GraphBuilder } from './graph-builder.ts';
import { NodeView } from './node-view.ts';
import { DIFFERENTIABLE, operatorOf } from './operators/index.ts';
import type { Operator } from './operators/operator.ts';
import { isFloat, isOfGradients } from './shapes.ts';
import { needed } from './subgraph.ts';

export interface Differentiation {
  /** The scalar to differentiate, float32 or float64. */
  loss: string;
  /** Inputs or initializers of the graph, float32 or float64. */
  withRespectTo: readonly string[];
  /** Other values of the graph that will be wanted; its outputs by default. Nodes that nothing wanted needs are left out. */
  values?: readonly string[];
  /** Sizes of the graph's symbolic dimensions, of 1 or more: `{ batch: 64 }`. */
  sizes?: Readonly<Record<string, number>>;
}

export interface Differentiated {
  /** The forward graph as far as it is wanted, what the gradients need, and the gradients. */
  builder: GraphBuilder;
  /** The gradient of the loss by each of `withRespectTo`, of that value's type and shape. */
  gradients: ReadonlyMap<string, string>;
}

/**
 * Reverse-mode differentiation: the forward graph, followed by nodes that compute the gradient of a scalar loss. What
 * the loss does not depend on gets a gradient of zeros. All nodes are operators of the standard set, version 16 or newer.
 * `not-differentiable` names the node that has no rule, `malformed-onnx` what contradicts itself, a `RangeError` the size.
 */
export function differentiate(forward: OnnxGraph, options: Differentiation): Differentiated {
  const { loss, withRespectTo, sizes = {}, values = forward.outputs.map(({ name }) => name) } = options;
  requireSizes(sizes);
  const builder = new GraphBuilder();
  declareValues(builder, forward, sizes, new Set(withRespectTo));
  for (const name of withRespectTo) requireVariable(builder, name);
  const onPath = between(forward.nodes, withRespectTo, loss);
  const nodes = needed(forward.nodes, [loss, ...values]).map((source) =>
    addForward(builder, source, onPath.has(source)),
  );
  requireLoss(builder, loss);
  const gradients = flowBack(
    builder,
    nodes.filter(({ isOnPath }) => isOnPath),
    options,
  );
  return { builder, gradients };
}

interface ForwardNode {
  source: OnnxNode;
  isOnPath: boolean;
  kept: Readonly<Record<string, string>>;
}

function addForward(builder: GraphBuilder, source: OnnxNode, isOnPath: boolean): ForwardNode {
  const operator = operatorOf(new NodeView(source, builder));
  if (!isOnPath || operator.expand === undefined) {
    builder.addNode(source);
    return { source, isOnPath, kept: {} };
  }
  const { expand } = operator;
  const view = new NodeView(source, builder);
  operator.infer(view); // refuses what contradicts the specification
  return { source, isOnPath, kept: builder.under(view.firstOutput, () => expand(view)) };
}

/** The nodes through which the loss depends on `sources`. */
function between(nodes: readonly OnnxNode[], sources: readonly string[], loss: string): Set<OnnxNode> {
  const dependent = new Set(sources);
  const forward = nodes.filter(({ inputs, outputs }) => {
    const depends = inputs.some((name) => dependent.has(name));
    if (depends) for (const name of outputs.filter((each) => each !== '')) dependent.add(name);
    return depends;
  });
  const needed = new Set([loss]);
  const onPath = new Set<OnnxNode>();
  for (const each of forward.toReversed()) {
    if (!each.outputs.some((name) => needed.has(name))) continue;
    onPath.add(each);
    for (const name of each.inputs) if (dependent.has(name)) needed.add(name);
  }
  return onPath;
}

function flowBack(
  builder: GraphBuilder,
  nodes: readonly ForwardNode[],
  { loss, withRespectTo }: Differentiation,
): ReadonlyMap<string, string> {
  // Nothing flows to truth values and whole numbers: a step has the derivative 0, where it has one.
  const isDifferentiable = (name: string) => name !== '' && isFloat(builder.typeOf(name).type);
  const wanted = new Set([...withRespectTo, ...nodes.flatMap(({ source }) => source.outputs.filter(isDifferentiable))]);
  /** What flows to each value, from every node that takes it. */
  const flows = new Map<string, string[]>([[loss, [builder.scalar(1, loss)]]]);
  const total = (name: string): string | undefined => {
    const parts = flows.get(name);
    if (parts === undefined) return undefined;
    const sum = builder.under(`${name}/gradient`, () => parts.reduce((first, second) => builder.plus(first, second)));
    flows.set(name, [sum]);
    return sum;
  };
  for (const { source, kept } of nodes.toReversed()) {
    const gradients = source.outputs.map((name) => (name === '' ? undefined : total(name)));
    if (gradients.every((gradient) => gradient === undefined)) continue;
    if (!source.inputs.some((name) => wanted.has(name))) continue;
    const view = new DifferentiatedNode(source, builder, { gradients, wanted, kept });
    const rule = ruleOf(view);
    const flowing = builder.under(`${view.firstOutput}/gradient`, () => view.checked(rule(view)));
    flowing.forEach((flow, index) => {
      const name = source.inputs[index] ?? '';
      if (flow !== undefined && wanted.has(name)) flows.set(name, [...(flows.get(name) ?? []), flow]);
    });
  }
  return new Map(
    withRespectTo.map((name) => [name, total(name) ?? builder.filled(0, builder.shapeOf(name), name)] as const),
  );
}

/** The rule of a node that a gradient flows to; `not-differentiable` where there is none for it. */
function ruleOf(view: DifferentiatedNode): NonNullable<Operator['gradient']> {
  const { graph } = view;
  const short = view.node.outputs.find(
    (name, index) => view.hasGradient(index) && !isOfGradients(graph.typeOf(name).type),
  );
  if (short !== undefined) {
    throw view.unsupported(`its output "${short}" is of ${graph.typeOf(short).type}; supported: float32 and float64.`);
  }
  const { gradient } = operatorOf(view);
  if (gradient !== undefined) return gradient;
  const supported = Object.keys(DIFFERENTIABLE).join(', ');
  throw notDifferentiable(
    `No gradient flows through ${view.title}, and the loss depends on it; supported: ${supported}.`,
  );
}

/** Inputs and initializers; an initializer that is to be trained becomes an input, for its value will change. */
function declareValues(
  builder: GraphBuilder,
  { inputs, initializers }: OnnxGraph,
  sizes: Readonly<Record<string, number>>,
  trained: ReadonlySet<string>,
): void {
  const constants = new Set(initializers.map(({ name }) => name));
  for (const { name, type, shape } of inputs) {
    if (constants.has(name) && !trained.has(name)) continue; // a default that nobody overrides
    if (type === 'other' || shape === null) {
      throw malformedGraph(`Input "${name}" is no tensor of known rank; expected one.`);
    }
    const known = shape.map((dimension) => {
      const size = typeof dimension === 'string' ? sizes[dimension] : dimension;
      if (typeof size === 'number') return size;
      throw malformedGraph(`Input "${name}" has an open dimension ${dimension ?? ''}; expected its size among sizes.`);
    });
    builder.input(name, type, known);
  }
  for (const initializer of initializers) {
    if (!trained.has(initializer.name)) builder.initializer(initializer);
    else if (!builder.has(initializer.name)) builder.input(initializer.name, initializer.type, initializer.shape);
  }
}

function requireSizes(sizes: Readonly<Record<string, number>>): void {
  for (const [dimension, size] of Object.entries(sizes)) {
    if (Number.isSafeInteger(size) && size >= 1) continue;
    throw new RangeError(`sizes.${dimension} is ${size}; expected a whole number of 1 or more.`);
  }
}

function requireVariable(builder: GraphBuilder, name: string): void {
  if (!builder.has(name)) throw malformedGraph(`There is no input or initializer "${name}" to differentiate by.`);
  const { type } = builder.typeOf(name);
  if (!isOfGradients(type)) throw notDifferentiable(`"${name}" is of ${type}; supported: float32 and float64.`);
}

function requireLoss(builder: GraphBuilder, loss: string): void {
  const { type, shape } = builder.typeOf(loss);
  if (shape.length > 0) throw malformedGraph(`The loss "${loss}" has shape [${shape.join()}]; expected a scalar.`);
  if (!isOfGradients(type)) throw malformedGraph(`The loss "${loss}" is of ${type}; expected float32 or float64.`);
}
