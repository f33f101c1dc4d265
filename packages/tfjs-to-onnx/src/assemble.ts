import { malformed } from './errors.ts';
import { Scope } from './graph/scope.ts';
import type { Value } from './graph/value.ts';
import { addInput } from './input-layer.ts';
import { applyRule, layerCall, maskOf, type Workshop } from './layer-call.ts';
import type { Argument, Call, LayerEntry, Reference, Topology } from './topology/topology.ts';

/** What a layer's call gave. */
interface Built {
  values: readonly Value[];
  mask: Value | undefined;
}

/**
 * One use of a model, from its outputs backwards: a layer that no output needs leaves no trace. A model inside another is
 * built where it is called, and its values have names that begin with its own.
 */
export class Assembly {
  readonly #workshop: Workshop;
  readonly #topology: Topology;
  readonly #layers: ReadonlyMap<string, LayerEntry>;
  /** What the names of values begin with; empty for the whole model. */
  readonly #scope: string;
  /** Where weights may lie, as `path/layer/part`: the model's own path, and nothing. */
  readonly #paths: readonly string[];
  readonly #given: ReadonlyMap<string, Built>;
  /** What each call of a layer gave; undefined while its inputs are being built. */
  readonly #built = new Map<string, Built | undefined>();

  constructor(
    workshop: Workshop,
    topology: Topology,
    outer?: { scope: string; paths: readonly string[]; given: readonly Built[] },
  ) {
    this.#workshop = workshop;
    this.#topology = topology;
    this.#layers = new Map(topology.layers.map((layer) => [layer.name, layer]));
    this.#scope = outer?.scope ?? '';
    this.#paths = outer?.paths ?? [''];
    this.#given = new Map(
      topology.inputs.flatMap(({ layer }, index) => (outer?.given[index] ? [[layer, outer.given[index]]] : [])),
    );
    if (outer && outer.given.length !== topology.inputs.length) {
      throw malformed(
        `Model "${topology.name}" takes ${topology.inputs.length} inputs; it is given ${outer.given.length}.`,
      );
    }
  }

  /** The values that the model gives, in the order of its outputs. */
  outputs(): Built[] {
    for (const reference of this.#topology.inputs) this.#call(reference);
    return this.#topology.outputs.map((reference) => {
      const { values, mask } = this.#call(reference);
      return { values: [this.#output(values, reference)], mask };
    });
  }

  #call(reference: Reference): Built {
    const layer = this.#layers.get(reference.layer);
    if (!layer) {
      throw malformed(`There is no layer "${reference.layer}", which a layer or the model takes something from.`);
    }
    const key = callName(reference);
    const known = this.#built.get(key);
    if (known) return known;
    if (this.#built.has(key)) throw malformed(`Layer "${layer.name}" takes its own output.`);
    this.#built.set(key, undefined);
    const made = layer.className === 'InputLayer' ? this.#input(layer) : this.#convert(layer, reference);
    this.#built.set(key, made);
    return made;
  }

  #output(values: readonly Value[], { layer, output }: Reference): Value {
    const value = values[output];
    if (value) return value;
    const only = values.length === 1 ? 'only output 0' : `outputs 0 to ${values.length - 1}`;
    const className = this.#layers.get(layer)?.className ?? '';
    throw malformed(`Output ${output} of layer "${layer}" (${className}) is used; it has ${only}.`);
  }

  #convert(layer: LayerEntry, reference: Reference): Built {
    const call = layer.calls[reference.call];
    if (!call) {
      throw malformed(
        `Call ${reference.call} of layer "${layer.name}" is used; inbound_nodes has ${layer.calls.length} calls.`,
      );
    }
    const taken = call.inputs.map((argument, index) => this.#argument(argument, layer, index));
    if (taken.length === 0)
      throw malformed(`Layer "${layer.name}" (${layer.className}) takes nothing; expected an input.`);
    if (layer.model) return this.#inline(layer, layer.model, reference, taken);
    const scope = new Scope(this.#workshop.builder, this.#named(reference));
    const start = this.#workshop.builder.length;
    const context = layerCall(this.#workshop, layer, {
      inputs: taken.flatMap(({ values }) => values.slice(0, 1)),
      masks: this.#masks(call, taken),
      scope,
      paths: this.#paths.map((path) => `${path}${layer.name}`),
    });
    const values = this.#withNames(applyRule(context), scope.prefix, start);
    return { values, mask: maskOf(context) };
  }

  #masks({ mask }: Call, taken: readonly Built[]): (Value | undefined)[] {
    const flowing = taken.map((built) => built.mask);
    if (mask === undefined || mask === null) return flowing;
    const given = this.#output(this.#call(mask).values, mask);
    return flowing.map((own, index) => (index === 0 ? given : own));
  }

  #argument(argument: Argument, layer: LayerEntry, index: number): Built {
    if ('constant' in argument) {
      const scope = new Scope(this.#workshop.builder, this.#scope + layer.name);
      return { values: [scope.float(argument.constant, `argument_${index}`)], mask: undefined };
    }
    const { values, mask } = this.#call(argument);
    return { values: [this.#output(values, argument)], mask };
  }

  /** A model as a layer: its own layers, where it is called. */
  #inline(layer: LayerEntry, model: Topology, reference: Reference, given: readonly Built[]): Built {
    const inside = new Assembly(this.#workshop, model, {
      scope: `${this.#named(reference)}/`,
      paths: this.#paths.flatMap((path) => [`${path}${layer.name}/`, path]),
      given,
    });
    const outputs = inside.outputs();
    return { values: outputs.flatMap(({ values }) => values), mask: outputs[0]?.mask };
  }

  /** The result has the name of its layer, further results a number; what the layer only passed on keeps its name. */
  #withNames(values: readonly Value[], name: string, start: number): Value[] {
    const renamed = new Map<string, Value>();
    return values.map((value, index) => {
      const known = renamed.get(value.name);
      if (known) return known;
      const given = this.#workshop.builder.rename(value, index === 0 ? name : `${name}/output_${index}`, start);
      renamed.set(value.name, given);
      return given;
    });
  }

  #named(reference: Reference): string {
    return this.#scope + callName(reference);
  }

  #input(layer: LayerEntry): Built {
    const given = this.#given.get(layer.name);
    if (given) return given;
    return { values: [addInput(this.#workshop, layer)], mask: undefined };
  }
}

function callName({ layer, call }: Reference): string {
  return call === 0 ? layer : `${layer}/call_${call}`;
}
