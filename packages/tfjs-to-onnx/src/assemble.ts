import {
  dataTypeCode,
  type Dimension,
  int,
  node,
  type OnnxGraph,
  type OnnxNode,
  type OnnxTensor,
  value,
} from '@atelier/onnx';
import { malformed } from './errors.ts';
import { ruleOf } from './layer-rules.ts';
import { renameValues } from './rename.ts';
import { isObject, shown } from './settings.ts';
import type { Step, Value } from './step.ts';
import type { LayerEntry, Reference, Topology } from './topology.ts';
import type { Weights } from './weights.ts';

/** The name of an open batch: one symbol, because every input has the same batch. */
const BATCH = 'batch';

/** The types that an input may have in `model.json`; layers compute in float32. */
const INPUT_TYPES = ['float32', 'int32', 'bool'] as const;

/**
 * Builds the graph of a model, from its outputs backwards: a layer that no output needs leaves no trace. An input of the
 * graph has the name of its input layer. An output has the name of the layer that gives it; a later call of a shared layer
 * adds its number.
 */
export class Assembly {
  readonly warnings: string[] = [];
  readonly #topology: Topology;
  readonly #weights: Weights;
  readonly #layers: ReadonlyMap<string, LayerEntry>;
  /** What each call of a layer gave; undefined while its inputs are being built. */
  readonly #built = new Map<string, Value | undefined>();
  readonly #inputs: Value[] = [];
  readonly #nodes: OnnxNode[] = [];
  readonly #values: Value[] = [];
  /** By name: a layer that is called twice has its weights once. */
  readonly #initializers = new Map<string, OnnxTensor>();

  constructor(topology: Topology, weights: Weights) {
    this.#topology = topology;
    this.#weights = weights;
    this.#layers = new Map(topology.layers.map((layer) => [layer.name, layer]));
  }

  graph(): OnnxGraph {
    for (const reference of this.#topology.inputs) this.#build(reference);
    const results = this.#topology.outputs.map((reference) => this.#build(reference));
    const names = new Map<string, string>();
    const outputs = this.#topology.outputs.map((reference, index): Value => {
      const source = results[index] ?? this.#build(reference);
      const name = valueName(reference);
      if (source.name === name && !this.#inputs.includes(source)) return source;
      const isShared = results.filter((other) => other === source).length > 1;
      if (isShared || this.#inputs.includes(source)) return this.#copy(source, name);
      // The layer did nothing, so what gave its input now gives the output.
      names.set(source.name, name);
      return source;
    });
    const outer = new Set([...this.#inputs, ...outputs].map(({ name }) => name));
    const written = ({ name, type, shape }: Value) => value(name, type, shape);
    const graph = {
      name: this.#topology.name,
      nodes: this.#nodes,
      inputs: this.#inputs.map(written),
      outputs: outputs.map(written),
      initializers: [...this.#initializers.values()],
      values: this.#values.filter(({ name }) => !outer.has(name)).map(written),
    };
    return renameValues(graph, names);
  }

  #build(reference: Reference): Value {
    const { layer: name, output } = reference;
    const layer = this.#layers.get(name);
    if (!layer) throw malformed(`There is no layer "${name}", which a layer or the model takes something from.`);
    if (output !== 0)
      throw malformed(`Output ${output} of layer "${name}" (${layer.className}) is used; it has only output 0.`);
    const key = valueName(reference);
    const known = this.#built.get(key);
    if (known) return known;
    if (this.#built.has(key)) throw malformed(`Layer "${name}" takes its own output.`);
    this.#built.set(key, undefined);
    const made = layer.className === 'InputLayer' ? this.#input(layer) : this.#call(layer, reference);
    this.#built.set(key, made);
    return made;
  }

  #call(layer: LayerEntry, reference: Reference): Value {
    const { className, name, settings } = layer;
    const rule = ruleOf(layer);
    const taken = (layer.calls[reference.call] ?? []).map((source) => this.#build(source));
    const [input, ...more] = taken;
    if (!input || more.length > 0) {
      throw malformed(
        `Layer "${name}" (${className}) takes ${taken.length} inputs in call ${reference.call}; expected one.`,
      );
    }
    const context = {
      className,
      name,
      settings,
      isKeras3: this.#topology.isKeras3,
      output: valueName(reference),
      weight: (part: string, shape: readonly number[]) => this.#weights.take(name, part, shape),
      warn: (message: string) => this.warnings.push(`Layer "${name}": ${message}`),
    };
    return this.#add(rule(context, input));
  }

  #input({ name, settings }: LayerEntry): Value {
    const key = settings.get('batch_input_shape') === undefined ? 'batch_shape' : 'batch_input_shape';
    if (settings.get(key) === undefined) {
      throw malformed(`Input "${name}" has no batch_input_shape; expected the sizes that the model was built for.`);
    }
    const sizes = settings.sizes(key);
    const shape = sizes.map((size, axis): Dimension => size ?? (axis === 0 ? BATCH : `${name}_axis_${axis}`));
    const dtype = settings.get('dtype') ?? 'float32';
    // Keras 3 writes a policy object.
    const written = isObject(dtype) && isObject(dtype['config']) ? dtype['config']['name'] : dtype;
    const type = INPUT_TYPES.find((known) => known === written);
    if (!type) throw malformed(`Input "${name}" has dtype ${shown(written)}; expected ${INPUT_TYPES.join(', ')}.`);
    const input: Value = { name, type, shape };
    this.#inputs.push(input);
    if (type === 'float32') return input;
    const output: Value = { name: `${name}/float32`, type: 'float32', shape };
    const cast = node('Cast', [input.name], output.name, { to: int(dataTypeCode('float32')) });
    return this.#add({ nodes: [cast], initializers: [], output });
  }

  /** An input of the graph, or what is an output already, under another name: ONNX needs a node for that. */
  #copy(source: Value, name: string): Value {
    const copy = { ...source, name: name === source.name ? `${name}/output` : name };
    this.#nodes.push(node('Identity', [source.name], copy.name));
    return copy;
  }

  #add({ nodes, initializers, output }: Step): Value {
    this.#nodes.push(...nodes);
    for (const tensor of initializers) this.#initializers.set(tensor.name, tensor);
    if (nodes.length > 0) this.#values.push(output);
    return output;
  }
}

function valueName({ layer, call }: Reference): string {
  return call === 0 ? layer : `${layer}/call_${call}`;
}
