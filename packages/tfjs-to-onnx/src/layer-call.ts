import { float32Values, type OnnxTensor } from '@atelier/onnx';
import type { Dialect } from './dialect.ts';
import { unsupported } from './errors.ts';
import type { GraphBuilder } from './graph/graph-builder.ts';
import { Scope } from './graph/scope.ts';
import type { Value } from './graph/value.ts';
import type { Sizes } from './input-layer.ts';
import { ruleOf } from './layer-rules.ts';
import { rearranged } from './rearrange.ts';
import { quantizedWeight } from './quantized-weight.ts';
import type { Heed, InnerCall, LayerCall, State, WeightLayout } from './rule.ts';
import { expectModerateNesting } from './nesting-limits.ts';
import type { LayerEntry, Topology } from './topology/topology.ts';
import type { Weights } from './weights.ts';

/** What all layers of a conversion share. */
export interface Workshop {
  readonly builder: GraphBuilder;
  readonly weights: Weights;
  readonly dialect: Dialect;
  /** Sizes that the caller gave for inputs, by name. */
  readonly inputShapes: Readonly<Record<string, Sizes>>;
  /** Whether quantised weights stay as the file stores them, where a rule takes them as they are. */
  readonly keepQuantized: boolean;
  /** Sentences for the caller, each once. */
  readonly warnings: Set<string>;
  /** Whether there can be masks in the model at all. */
  readonly hasMasks: boolean;
  /** The layers of a model inside the model, where it is called. */
  readonly inline: (call: LayerCall, model: Topology) => readonly Value[];
  /** Outputs of the graph beside the model's: states that go from one run to the next. */
  readonly states: State[];
  /** How many calls of layers there were by now. */
  calls: number;
}

/** What a rule gets for one call of a layer. */
export function layerCall(workshop: Workshop, entry: LayerEntry, options: InnerCall): LayerCall {
  const { className, name, settings } = entry;
  const { builder, weights, keepQuantized, dialect, warnings, states } = workshop;
  const { inputs, masks = [], scope, paths } = options;
  expectModerateNesting(name, { calls: ++workshop.calls, paths: paths.length });
  const take = (part: string, shape: readonly number[]): OnnxTensor => weights.take(paths, part, shape);
  const weight = (part: string, shape: readonly number[], layout: WeightLayout = {}): Value => {
    const stored = keepQuantized ? weights.takeStored(paths, part, shape) : undefined;
    if (stored) return quantizedWeight(builder, stored, shape, layout);
    const tensor = take(part, shape);
    return builder.constant(tensor.name) ?? builder.initializer(rearranged(tensor, layout));
  };
  return {
    className,
    name,
    settings,
    dialect,
    inputs,
    masks,
    scope,
    paths,
    hasWeight: (part) => weights.has(paths, part),
    weightShape: (part) => weights.shape(paths, part),
    weight,
    weightValues: (part, shape) => float32Values(take(part, shape)),
    inner: (inner, innerOptions) => layerCall(workshop, inner, innerOptions),
    ...(entry.model && { model: entry.model }),
    apply: (call) => (call.model ? workshop.inline(call, call.model) : applyRule(call)),
    masksOf,
    keepState: (state) => states.push(state),
    warn: (message) => warnings.add(`Layer "${name}": ${message}`),
  };
}

/** What the layer gives; a class without a rule, or a refused one, is `unsupported-layer`. */
function applyRule(call: LayerCall): readonly Value[] {
  const rule = ruleOf(call);
  if ('refused' in rule) {
    throw unsupported(`Layer "${call.name}" is a ${call.className}, which cannot be converted. ${rule.refused}`);
  }
  const inputs = rule.takesAnyType ? call.inputs : call.inputs.map((input) => asFloat32(input, call.scope.builder));
  const result = rule.convert({ ...call, inputs });
  return Array.isArray(result) ? (result as readonly Value[]) : [result as Value];
}

/** What of a layer is computed otherwise under a mask. */
export function heedOf(layer: LayerEntry): Heed | undefined {
  const rule = ruleOf(layer);
  const heeds = 'convert' in rule ? rule.heedsMask : undefined;
  return typeof heeds === 'function' ? heeds(layer) : heeds;
}

/** The masks of what the layer gives. */
function masksOf(call: LayerCall): readonly (Value | undefined)[] {
  const rule = call.model ? undefined : ruleOf(call);
  const made = rule && 'convert' in rule ? rule.mask?.(call) : undefined;
  return Array.isArray(made) ? (made as readonly (Value | undefined)[]) : [made as Value | undefined];
}

/** Layers compute in float32; a value is cast once, whoever takes it. */
function asFloat32(source: Value, builder: GraphBuilder): Value {
  if (source.type === 'float32') return source;
  const name = `${source.name}/float32`;
  if (builder.has(name)) return { name, type: 'float32', shape: source.shape };
  return new Scope(builder, source.name).cast(source, 'float32');
}
