import { malformed } from './errors.ts';
import { Scope } from './graph/scope.ts';
import type { Value } from './graph/value.ts';
import { addInput } from './input-layer.ts';
import type { Semantics } from './dialect.ts';
import { HandedMask, heededMask, type Mask, NO_MASK } from './handed-mask.ts';
import { heedOf, layerCall, type Workshop } from './layer-call.ts';
import type { LayerCall } from './rule.ts';
import { expectModerateNesting } from './nesting-limits.ts';
import { executionOrder } from './topology/execution-order.ts';
import type { Call, LayerEntry, Reference, Topology } from './topology/topology.ts';

/** What a layer's call gave. */
interface Built {
  values: readonly Value[];
  /** Of each value. */
  masks: readonly Mask[];
  /** What TensorFlow.js then hands on to other layers, where that is from this call. */
  handed?: HandedMask['held'];
}

/** What a layer takes. */
interface Taken {
  value: Value;
  mask: Mask;
}

/** A reference that is to be built, and who asks for it. */
interface Wanted {
  reference: Reference;
  by: string;
}

/** How a model is used in another. */
interface Use {
  scope: string;
  paths: readonly string[];
  given: readonly Taken[];
  handed: HandedMask;
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
  readonly #given: ReadonlyMap<string, Taken>;
  readonly #handed: HandedMask;
  /** What each call of a layer gave. */
  readonly #built = new Map<string, Built>();

  constructor(workshop: Workshop, topology: Topology, outer?: Use) {
    this.#workshop = workshop;
    this.#topology = topology;
    this.#layers = new Map(topology.layers.map((layer) => [layer.name, layer]));
    this.#scope = outer?.scope ?? '';
    this.#paths = outer?.paths ?? [''];
    expectModerateNesting(topology.name, { calls: ++workshop.calls, paths: this.#paths.length });
    this.#handed = outer?.handed ?? new HandedMask();
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
  outputs(): Taken[] {
    for (const reference of this.#topology.inputs) this.#call(reference);
    // The order matters to TensorFlow.js alone, and only for the masks.
    const order = this.#workshop.hasMasks ? executionOrder(this.#topology) : undefined;
    for (const reference of order ?? []) this.#compute(reference);
    return this.#topology.outputs.map((reference) => this.#output(this.#call(reference), reference));
  }

  /** A layer that gives several outputs is computed for each of them. */
  #compute(reference: Reference): void {
    const known = this.#built.get(callName(reference));
    if (!known) this.#call(reference);
    else if (known.handed) this.#handed.put(known.handed);
  }

  /** What the call gives, after all that it needs: a stack of its own, because models may be thousands of layers deep. */
  #call(reference: Reference): Built {
    const stack: Wanted[] = [{ reference, by: 'The model' }];
    const waiting = new Set<string>();
    for (let wanted = stack.at(-1); wanted; wanted = stack.at(-1)) {
      const key = callName(wanted.reference);
      if (!this.#built.has(key)) {
        const needs = this.#needs(wanted).filter((need) => !this.#built.has(callName(need)));
        if (needs.length > 0) {
          if (waiting.has(key)) throw malformed(`Layer "${wanted.reference.layer}" takes its own output.`);
          waiting.add(key);
          const by = `Layer "${wanted.reference.layer}"`;
          stack.push(...needs.reverse().map((need) => ({ reference: need, by })));
          continue;
        }
        this.#built.set(key, this.#make(wanted.reference));
      }
      stack.pop();
    }
    return this.#get(reference);
  }

  /** The calls that must have been built before. */
  #needs({ reference, by }: Wanted): Reference[] {
    const layer = this.#layers.get(reference.layer);
    if (!layer) throw malformed(`${by} takes the output of layer "${reference.layer}"; there is no such layer.`);
    if (layer.className === 'InputLayer') return [];
    const { inputs, mask } = callOf(layer, reference);
    const references = inputs.flatMap((argument) => ('constant' in argument ? [] : [argument]));
    return mask ? [...references, mask] : references;
  }

  #make(reference: Reference): Built {
    const layer = this.#layers.get(reference.layer);
    if (!layer) throw new Error(`Layer "${reference.layer}" is built and is not there.`);
    return layer.className === 'InputLayer' ? this.#input(layer) : this.#convert(layer, reference);
  }

  #get(reference: Reference): Built {
    const built = this.#built.get(callName(reference));
    if (built) return built;
    throw new Error(`Layer "${reference.layer}" is taken from before it is built.`);
  }

  #output({ values, masks }: Built, { layer, output }: Reference): Taken {
    const value = values[output];
    if (value) return { value, mask: masks[output] ?? NO_MASK };
    const only = values.length === 1 ? 'only output 0' : `outputs 0 to ${values.length - 1}`;
    const className = this.#layers.get(layer)?.className ?? '';
    throw malformed(`Output ${output} of layer "${layer}" (${className}) is used; it has ${only}.`);
  }

  #convert(layer: LayerEntry, reference: Reference): Built {
    const call = callOf(layer, reference);
    const taken = this.#taken(call, layer);
    const before = this.#handed.held;
    this.#handed.take(
      taken.map(({ mask }) => mask),
      layer.name,
    );
    const made = layer.model
      ? this.#inline(layer, layer.model, reference, taken)
      : this.#apply(layer, reference, taken);
    return { ...made, ...(this.#handed.held !== before && { handed: this.#handed.held }) };
  }

  #apply(layer: LayerEntry, reference: Reference, taken: readonly Taken[]): Built {
    const scope = new Scope(this.#workshop.builder, this.#named(reference));
    const start = this.#workshop.builder.length;
    const { semantics } = this.#workshop.dialect;
    const inputs = taken.map(({ value }) => value);
    const masks = taken.map(({ mask }) => mask[semantics]);
    const call = layerCall(this.#workshop, layer, {
      inputs,
      masks: [this.#mask(layer, taken), ...masks.slice(1)],
      scope,
      paths: this.#paths.map((path) => `${path}${layer.name}`),
    });
    const values = this.#withNames(call.apply(call), scope.prefix, start);
    return { values, masks: this.#masksOf({ ...call, masks }, values, taken) };
  }

  /** The mask under which the layer is computed. */
  #mask(layer: LayerEntry, [first]: readonly Taken[]): Value | undefined {
    const { dialect, warnings } = this.#workshop;
    const heeds = layer.model ? undefined : heedOf(layer);
    if (!first || !heeds) return first?.mask[dialect.semantics];
    const { mask, told } = heededMask(first.value, first.mask, heeds, this.#handed.held, dialect);
    if (told !== undefined) warnings.add(`Layer "${layer.name}": ${told}`);
    return mask;
  }

  #taken(call: Call, layer: LayerEntry): Taken[] {
    const [first, ...others] = this.#arguments(call, layer);
    if (!first) throw malformed(`Layer "${layer.name}" (${layer.className}) takes nothing; expected an input.`);
    if (!call.mask) return [first, ...others];
    const given = this.#output(this.#get(call.mask), call.mask).value;
    const value = new Scope(this.#workshop.builder, this.#scope + layer.name).cast(given, 'bool');
    return [{ ...first, mask: { keras: value, tfjs: value } }, ...others];
  }

  /** Rows of numbers get the rank of what they go with: they belong to its last axis. */
  #arguments({ inputs }: Call, layer: LayerEntry): Taken[] {
    const scope = new Scope(this.#workshop.builder, this.#scope + layer.name);
    const ranks = inputs.map((each) => ('layer' in each ? this.#argument(each).value.shape.length : 0));
    const before = new Array<number>(Math.max(1, ...ranks) - 1).fill(1);
    return inputs.map((argument, index) => {
      if ('layer' in argument) return this.#argument(argument);
      const { constant } = argument;
      const name = `argument_${index}`;
      const value =
        typeof constant === 'number'
          ? scope.float(constant, name)
          : scope.floats([...before, constant.length], constant, name);
      return { value, mask: NO_MASK };
    });
  }

  #argument(reference: Reference): Taken {
    return this.#output(this.#get(reference), reference);
  }

  /** The masks of what a layer gives. TensorFlow.js has one for all of its values. */
  #masksOf(call: LayerCall, values: readonly Value[], taken: readonly Taken[]): Mask[] {
    if (!this.#workshop.hasMasks) return [];
    const by = (semantics: Semantics) =>
      call.masksOf({
        ...call,
        masks: taken.map(({ mask }) => mask[semantics]),
        dialect: { ...call.dialect, semantics, isChosen: true },
        // What there is to tell was told when the layer was applied.
        warn: () => undefined,
      });
    const keras = by('keras');
    const [made] = by('tfjs');
    // What both make is one mask; what only one of them needs is pruned.
    const isOne = made && keras[0] && call.scope.builder.isSame(made.name, keras[0].name);
    const tfjs = isOne ? keras[0] : made;
    return values.map((_, index) => ({ keras: keras[index], tfjs }));
  }

  /** A model as a layer: its own layers, where it is called. TensorFlow.js takes the masks off before and behind it. */
  #inline(layer: LayerEntry, model: Topology, reference: Reference, taken: readonly Taken[]): Built {
    const inside = new Assembly(this.#workshop, model, {
      scope: `${this.#named(reference)}/`,
      paths: this.#paths.flatMap((path) => [`${path}${layer.name}/`, path]),
      given: taken.map(({ value, mask }) => ({ value, mask: { ...mask, tfjs: undefined } })),
      handed: this.#handed.inside(),
    });
    const outputs = inside.outputs();
    return {
      values: outputs.map(({ value }) => value),
      masks: outputs.map(({ mask }) => ({ ...mask, tfjs: undefined })),
    };
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
    if (given) return { values: [given.value], masks: [given.mask] };
    return { values: [addInput(this.#workshop, layer)], masks: [] };
  }
}

function callOf(layer: LayerEntry, reference: Reference): Call {
  const call = layer.calls[reference.call];
  if (call) return call;
  throw malformed(
    `Call ${reference.call} of layer "${layer.name}" is used; inbound_nodes has ${layer.calls.length} calls.`,
  );
}

function callName({ layer, call }: Reference): string {
  return call === 0 ? layer : `${layer}/call_${call}`;
}

/** A model that is part of a layer, as a wrapper has one. */
export function inlined(workshop: Workshop, { inputs, masks, scope, paths }: LayerCall, model: Topology): Value[] {
  const inside = new Assembly(workshop, model, {
    scope: `${scope.prefix}/`,
    paths: paths.flatMap((path) => (path === '' ? [''] : [`${path}/`])),
    given: inputs.map((value, index) => ({ value, mask: { keras: masks[index], tfjs: undefined } })),
    handed: new HandedMask(true),
  });
  return inside.outputs().map(({ value }) => value);
}
