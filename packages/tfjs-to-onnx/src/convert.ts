import {
  DEFAULT_IR_VERSION,
  DEFAULT_OPSET,
  model,
  type OnnxGraph,
  type OnnxModel,
  type OnnxValue,
} from '@atelier/onnx';
import type { LayersModelArtifacts } from './artifacts.ts';
import { Assembly, inlined } from './assemble.ts';
import { dialectOf, type Semantics } from './dialect.ts';
import { invalidOption, malformed } from './errors.ts';
import { GraphBuilder } from './graph/graph-builder.ts';
import { hasMasks } from './handed-mask.ts';
import type { Sizes } from './input-layer.ts';
import type { Workshop } from './layer-call.ts';
import { nameOutputs } from './name-outputs.ts';
import { ambiguousName, renameValues } from './rename.ts';
import { simplified } from './simplify/simplify.ts';
import { readModel } from './topology/read-model.ts';
import { layerNamesIn, type Topology } from './topology/topology.ts';
import { Weights } from './weights.ts';

/** What the ONNX file says made it; the version is this package's. */
export const PRODUCER = { producerName: 'atelier tfjs-to-onnx', producerVersion: '0.2.0' } as const;

/** The file format version that came with each operator set that we can write (ONNX, "Released Versions"). */
const IR_VERSIONS: Readonly<Record<number, number>> = {
  13: 7,
  14: 7,
  15: 8,
  16: 8,
  17: DEFAULT_IR_VERSION,
  18: 8,
  19: 9,
  20: 9,
  21: 10,
  22: 10,
  23: 11,
};

/** Names that a message lists. */
const MOST_NAMES = 20;

export interface ConvertOptions {
  /** New names of inputs and outputs of the graph, by the names they would have; the others keep theirs. */
  names?: Readonly<Record<string, string>>;
  /** The operator set to write, 13 to 23; 17 where nothing is said. */
  opset?: number;
  /** Sizes of inputs that the file leaves open, by input: the whole shape with the batch, null where a size stays open. */
  inputShapes?: Readonly<Record<string, Sizes>>;
  /** Multiply the weights of a layer with the BatchNormalization after it: one operator less, and results that differ by rounding. */
  foldBatchNormalization?: boolean;
  /** Keep quantised weights as they are, for a file of a half or a quarter of the size; recurrent layers' are widened. */
  keepQuantized?: boolean;
  /** Whom to follow where TensorFlow.js ignores a setting of Keras; by default whoever wrote the file. */
  semantics?: Semantics;
}

export interface Conversion {
  model: OnnxModel;
  summary: {
    inputs: readonly OnnxValue[];
    outputs: readonly OnnxValue[];
    /** How many nodes of each operator, by name. */
    operators: Record<string, number>;
    /** Elements of all weights. */
    parameters: number;
    opset: number;
    /** What a reader should know, a sentence each; none is the usual case. */
    warnings: readonly string[];
  };
}

/**
 * Converts a TensorFlow.js LayersModel. The result computes what `model.predict` computes: dropout and noise are gone,
 * batch normalisation uses its moving statistics. A file that is no sound LayersModel is `malformed-tfjs-model`, one
 * with something that we cannot convert is `unsupported-layer`, an option that does not fit is
 * `invalid-conversion-option`; a name in `options.names` that the graph does not have is a `RangeError`.
 */
export function convert(artifacts: LayersModelArtifacts, options: ConvertOptions = {}): Conversion {
  const { opset = DEFAULT_OPSET, inputShapes = {} } = options;
  const irVersion = irVersionOf(opset);
  const { topology, kerasVersion, hasKeras3Forms } = readModel(artifacts.modelTopology);
  const weights = new Weights(artifacts, topology.name);
  const workshop: Workshop = {
    builder: new GraphBuilder(opset),
    weights,
    dialect: dialectOf({ generatedBy: artifacts.generatedBy, kerasVersion, hasKeras3Forms }, options.semantics),
    inputShapes,
    keepQuantized: options.keepQuantized ?? false,
    warnings: new Set(),
    states: [],
    calls: 0,
    hasMasks: hasMasks(topology),
    inline: (call, model) => inlined(workshop, call, model),
  };
  requireInputs(
    topology.inputs.map(({ layer }) => layer),
    Object.keys(inputShapes),
  );
  const outputs = new Assembly(workshop, topology).outputs().map(({ value }) => value);
  const states = workshop.states.map(({ last }) => last);
  const raw = nameOutputs(workshop.builder.graph(topology.name, [...outputs, ...states]), topology.outputs);
  const graph = withNames(
    simplified(raw, { opset, foldsBatchNormalization: options.foldBatchNormalization ?? false }),
    options.names ?? {},
  );
  const ambiguous = ambiguousName(graph);
  if (ambiguous !== undefined) throw malformed(`Two values would be called "${ambiguous}"; expected different names.`);
  const unused = weights.unused();
  requireLayers(unused, topology);
  return {
    model: model(graph, {
      ...PRODUCER,
      irVersion,
      opsetImports: [{ domain: '', version: opset }],
      metadata: sourceOf(artifacts, kerasVersion),
    }),
    summary: {
      inputs: graph.inputs,
      outputs: graph.outputs,
      operators: countOperators(graph),
      parameters: weights.parameterCount(),
      opset,
      warnings: [
        ...workshop.warnings,
        ...(unused.length > 0 ? [`No layer takes these weights, which are left out: ${shownNames(unused)}.`] : []),
      ],
    },
  };
}

function irVersionOf(opset: number): number {
  const found = IR_VERSIONS[opset];
  if (found !== undefined) return found;
  const known = Object.keys(IR_VERSIONS);
  throw invalidOption(`Operator set ${opset}; expected a whole number from ${known[0]} to ${known.at(-1)}.`);
}

function requireInputs(present: readonly string[], asked: readonly string[]): void {
  const wrong = asked.find((name) => !present.includes(name));
  if (wrong === undefined) return;
  throw invalidOption(`A shape is given for input "${wrong}"; the model has ${present.join(', ')}.`);
}

/** A layer that no output needs leaves its weights behind; weights of a layer that there is not are of another model. */
function requireLayers(unused: readonly string[], topology: Topology): void {
  const layers = new Set(layerNamesIn(topology));
  const strangers = unused.filter((name) => !name.split('/').some((part) => layers.has(part)));
  if (strangers.length === 0) return;
  throw malformed(
    `These weights match no layer of the model: ${shownNames(strangers)}; it has the layers ${shownNames([...layers])}. ` +
      'Take the weights that were saved with the model, or mark what only training needs by "group": "optimizer".',
  );
}

/** Where the model came from, for whoever finds the file later. */
function sourceOf(
  { format, generatedBy, convertedBy }: LayersModelArtifacts,
  kerasVersion: string | undefined,
): Record<string, string> {
  return {
    source: 'TensorFlow.js LayersModel',
    ...(format && { source_format: format }),
    ...(generatedBy && { source_generated_by: generatedBy }),
    ...(convertedBy && { source_converted_by: convertedBy }),
    ...(kerasVersion && { source_keras_version: kerasVersion }),
  };
}

function withNames(graph: OnnxGraph, names: Readonly<Record<string, string>>): OnnxGraph {
  const present = [...graph.inputs, ...graph.outputs].map(({ name }) => name);
  const wrong = Object.keys(names).find((name) => !present.includes(name));
  if (wrong === undefined) return renameValues(graph, new Map(Object.entries(names)));
  throw new RangeError(`The graph has no input or output "${wrong}"; it has ${present.join(', ')}.`);
}

function countOperators({ nodes }: OnnxGraph): Record<string, number> {
  const counts = new Map<string, number>();
  for (const { opType } of nodes) counts.set(opType, (counts.get(opType) ?? 0) + 1);
  return Object.fromEntries([...counts].sort(([a], [b]) => a.localeCompare(b)));
}

/** The first few of what may be hundreds. */
function shownNames(names: readonly string[]): string {
  const shown = names.slice(0, MOST_NAMES).join(', ');
  return names.length > MOST_NAMES ? `${shown}, and ${names.length - MOST_NAMES} more` : shown;
}
