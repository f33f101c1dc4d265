import { type Dimension, inferGraph, type OnnxGraph, type OnnxNode, type ValueFacts } from '@atelier/onnx';
import { Constants } from './constants.ts';
import { malformed, unsupported, unsupportedNode } from './errors.ts';
import { inputLayout } from './input-layout.ts';
import { isPlainLayout, numberOrNull, type Value, withLayout } from './layouts.ts';
import { Network, type LayerOutput } from './network.ts';
import { NodeView, type Surroundings } from './node-view.ts';
import { ruleOf } from './operator-rules.ts';
import { withRecognizedFunctions } from './patterns.ts';

/** An input or output of the graph as the model has it; the fields are those of `Port`. */
export interface NetworkPort {
  name: string;
  onnxShape: readonly Dimension[];
  shape: readonly (number | null)[];
  permutation: readonly number[];
  source: LayerOutput;
}

/** The name of an open batch that the file gives none. */
const BATCH = 'batch';

/** Builds the layers of a graph, node by node, leaving out what no output needs. */
export class Assembly {
  readonly warnings: string[] = [];
  readonly #graph: OnnxGraph;
  readonly #opset: number;

  constructor(graph: OnnxGraph, opset: number) {
    this.#graph = withNamedBatch(needed(graph));
    const given = new Set([...this.#graph.inputs, ...graph.initializers].map(({ name }) => name));
    for (const { name } of graph.inputs) {
      if (!given.has(name)) this.warnings.push(`Input "${name}" is left out: no output depends on it.`);
    }
    this.#opset = opset;
  }

  built(): { network: Network; inputs: NetworkPort[]; outputs: NetworkPort[] } {
    const graph = this.#graph;
    const network = new Network();
    const constants = new Constants(graph);
    const facts = inferGraph(graph, this.#opset);
    const values = new Map<string, Value>();
    const shared = new Set<LayerOutput>();
    const uses = usesOf(graph);
    const keep = (name: string, value: Value) => {
      values.set(name, value);
      if (uses.get(name) !== 1) shared.add(value.source);
    };
    const around: Surroundings = {
      ...{ network, constants, facts, values, shared, opset: this.#opset },
      warn: (message) => this.warnings.push(message),
    };
    const inputs = graph.inputs
      .filter(({ name }) => !constants.has(name))
      .map(({ name }) => {
        if ((facts.get(name)?.type ?? '').endsWith('float16')) {
          this.warnings.push(
            `Input "${name}" is of ${facts.get(name)?.type}; the model computes in float32, more exactly.`,
          );
        }
        const value = inputValue(network, name, facts.get(name), inputLayout(graph, name, facts));
        keep(name, value);
        return portOf(name, value);
      });
    if (inputs.length === 0) throw unsupported('The graph has no input; supported: one or more.');
    for (const node of withRecognizedFunctions(graph, constants)) {
      const [output] = node.outputs;
      if (constants.folded.has(node) || output === undefined || isOnlySizes(facts.get(output))) continue;
      const rule = ruleOf(node);
      refuseIntegers(node, facts);
      keep(output, rule(new NodeView(node, around)));
    }
    const given = new Set<LayerOutput>();
    const outputs = graph.outputs.map(({ name }) => {
      const value = outputValue(network, name, values.get(name));
      // TensorFlow.js gives each tensor once.
      const source = given.has(value.source) ? network.copy(value.source, name) : value.source;
      given.add(source);
      return portOf(name, { ...value, source });
    });
    for (const origin of network.tensorsInSeveralLayers()) {
      this.warnings.push(`Weight "${origin}" is in several layers of the model, which train it apart.`);
    }
    return { network, inputs, outputs };
  }
}

/** Operators that leave numbers as they are, and those that make floats of them. */
const TAKES_INTEGERS = new Set(
  'Cast Concat DequantizeLinear Dropout Flatten Identity Reshape Squeeze Transpose Unsqueeze'.split(' '),
);

/** Layers compute in float32, where integers would wrap around or be cut off. */
function refuseIntegers(node: OnnxNode, facts: ReadonlyMap<string, ValueFacts>): void {
  const type = facts.get(node.inputs[0] ?? '')?.type ?? 'other';
  if (!/^u?int/.test(type) || TAKES_INTEGERS.has(node.opType)) return;
  throw unsupportedNode(node, `it computes on ${type}; supported: floats. Cast the input to float32 before it.`);
}

/** Whole numbers that are known, or a size of a tensor: what a Reshape takes, and no layer. */
function isOnlySizes(facts: ValueFacts | undefined): boolean {
  return facts?.elements !== undefined && facts.type === 'int64';
}

/** The graph without nodes that no output needs. Nodes must stand behind what they take. */
function needed(graph: OnnxGraph): OnnxGraph {
  const wanted = new Set(graph.outputs.map(({ name }) => name));
  const nodes = [...graph.nodes].reverse().filter((node) => {
    const isNeeded = node.outputs.some((name) => wanted.has(name));
    if (isNeeded) node.inputs.forEach((name) => wanted.add(name));
    return isNeeded;
  });
  const inputs = graph.inputs.filter(({ name }) => wanted.has(name));
  const initializers = graph.initializers.filter(({ name }) => wanted.has(name));
  return { ...graph, nodes: nodes.reverse(), inputs, initializers };
}

/** An open batch without a name gets one, so that inference can follow it. */
function withNamedBatch(graph: OnnxGraph): OnnxGraph {
  const inputs = graph.inputs.map((input) => {
    const { shape } = input;
    return shape?.[0] === null ? { ...input, shape: [BATCH, ...shape.slice(1)] } : input;
  });
  return { ...graph, inputs };
}

function usesOf({ nodes, outputs }: OnnxGraph): Map<string, number> {
  const uses = new Map<string, number>();
  const names = [...nodes.flatMap(({ inputs }) => inputs), ...outputs.map(({ name }) => name)];
  for (const name of names) uses.set(name, (uses.get(name) ?? 0) + 1);
  return uses;
}

/** Numbers of any type are float32 in the model, which holds them exactly as far as images and features go. */
const INPUT_TYPES = ['float32', 'float16', 'bfloat16', 'uint8', 'int8', 'uint16', 'int16', 'int32', 'int64'];

function inputValue(network: Network, name: string, facts: ValueFacts | undefined, layout: readonly number[]): Value {
  const { type = 'other', shape } = facts ?? {};
  if (!INPUT_TYPES.includes(type)) {
    throw unsupported(`Input "${name}" is of ${type}; supported: ${INPUT_TYPES.join(', ')}.`);
  }
  if (!shape || shape.length < 2) {
    throw unsupported(
      `Input "${name}" has ${shape ? `rank ${shape.length}` : 'no shape'}; supported: rank 2 and more, the batch first.`,
    );
  }
  const sizes = layout.map((axis, index) => (index === 0 ? null : numberOrNull(shape[axis])));
  const config = { batch_input_shape: sizes, dtype: 'float32', sparse: false };
  const source = network.add({ className: 'InputLayer', name, config }, []);
  return { source, shape, layout, isNonNegative: type.startsWith('uint') };
}

/** An output with all its axes, in the graph's order where it was flattened. */
function outputValue(network: Network, name: string, value: Value | undefined): Value {
  if (!value) throw malformed(`Output "${name}" is given by nothing that is computed from an input.`);
  const missing = value.shape.flatMap((_, axis) => (value.layout.includes(axis) ? [] : [axis]));
  if (missing.length === 0 && !value.flattened) return value;
  const [batch = 0, ...rest] = value.layout;
  const complete = withLayout(network, value, [batch, ...missing, ...rest], name);
  if (complete) return complete;
  throw unsupported(`Output "${name}" has two open sizes beside axes of size 1. Export the model with fixed sizes.`);
}

function portOf(name: string, { shape, layout, source }: Value): NetworkPort {
  const isPlain = isPlainLayout(layout, shape.length);
  return {
    name,
    onnxShape: shape,
    shape: layout.map((axis, index) => (index === 0 ? null : numberOrNull(shape[axis]))),
    permutation: isPlain ? shape.map((_, axis) => axis) : [...layout],
    source,
  };
}
