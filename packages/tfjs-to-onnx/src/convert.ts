import { model, type OnnxGraph, type OnnxModel, type OnnxValue, opsetVersion } from '@atelier/onnx';
import type { LayersModelArtifacts } from './artifacts.ts';
import { Assembly } from './assemble.ts';
import { malformed } from './errors.ts';
import { ambiguousName, renameValues } from './rename.ts';
import { readTopology } from './topology.ts';
import { Weights } from './weights.ts';

/** What the ONNX file says made it; the version is this package's. */
export const PRODUCER = { producerName: 'atelier tfjs-to-onnx', producerVersion: '0.1.0' } as const;

export interface ConvertOptions {
  /** New names of inputs and outputs of the graph, by the names they would have; the others keep theirs. */
  names?: Readonly<Record<string, string>>;
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
 * batch normalisation uses its moving statistics. A file that TensorFlow.js would not load is `malformed-tfjs-model`, one
 * with something that we cannot convert is `unsupported-layer`; a name in `options.names` that the graph does not have is a
 * `RangeError`.
 */
export function convert(artifacts: LayersModelArtifacts, options: ConvertOptions = {}): Conversion {
  const topology = readTopology(artifacts.modelTopology);
  const weights = new Weights(artifacts, topology.name);
  const assembly = new Assembly(topology, weights);
  const graph = withNames(assembly.graph(), options.names ?? {});
  const ambiguous = ambiguousName(graph);
  if (ambiguous !== undefined) throw malformed(`Two values would be called "${ambiguous}"; expected different names.`);
  const converted = model(graph, { ...PRODUCER, metadata: sourceOf(artifacts) });
  const unused = weights.unused();
  return {
    model: converted,
    summary: {
      inputs: graph.inputs,
      outputs: graph.outputs,
      operators: countOperators(graph),
      parameters: weights.parameterCount(),
      opset: opsetVersion(converted) ?? 0,
      warnings: [
        ...assembly.warnings,
        ...(unused.length > 0 ? [`No layer takes these weights, which are left out: ${unused.join(', ')}.`] : []),
      ],
    },
  };
}

/** Where the model came from, for whoever finds the file later. */
function sourceOf({ format, generatedBy, convertedBy }: LayersModelArtifacts): Record<string, string> {
  return {
    source: 'TensorFlow.js LayersModel',
    ...(format && { source_format: format }),
    ...(generatedBy && { source_generated_by: generatedBy }),
    ...(convertedBy && { source_converted_by: convertedBy }),
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
