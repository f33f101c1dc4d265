import {
  inferGraph,
  int,
  ints,
  node,
  type OnnxGraph,
  type OnnxNode,
  type OnnxTensor,
  type ValueFacts,
} from '@atelier/onnx';
import { permuted } from '../rearrange.ts';
import { renameValues } from '../rename.ts';
import { BROADCASTING, MOVERS, numberOf, sourceAxis } from './movable-operators.ts';
import { composed, inverse, isIdentity, isSame, keepsOrder, type Permutation } from './permutations.ts';

/** A value that is `source`, transposed. */
interface Turned {
  source: string;
  permutation: Permutation;
}

/**
 * Moves every Transpose towards the outputs, through operators that do not mind, until it meets its inverse and both go, or
 * an operator that needs it (a Reshape, a MatMul, an output). A chain of convolutions that was written with the channels on
 * the last axis, each between two Transposes, comes out with one at either end.
 */
export function sinkTransposes(graph: OnnxGraph, opset: number): OnnxGraph {
  return new Sinking(graph, inferGraph(graph, opset)).graph();
}

class Sinking {
  readonly #source: OnnxGraph;
  readonly #facts: ReadonlyMap<string, ValueFacts>;
  readonly #constants: Map<string, OnnxTensor>;
  readonly #nodes: OnnxNode[] = [];
  /** Values that are not there under their own name, in the order of the graph. */
  readonly #turned = new Map<string, Turned>();
  /** Transposed values that are there after all, by source and permutation. */
  readonly #written = new Map<string, string>();
  readonly #ranks = new Map<string, number>();

  constructor(source: OnnxGraph, facts: ReadonlyMap<string, ValueFacts>) {
    this.#source = source;
    this.#facts = facts;
    this.#constants = new Map(source.initializers.map((tensor) => [tensor.name, tensor]));
  }

  graph(): OnnxGraph {
    for (const each of this.#source.nodes) this.#take(each);
    const names = this.#namesAtEnd();
    return renameValues(
      { ...this.#source, nodes: this.#nodes, initializers: [...this.#constants.values()], values: [] },
      names,
    );
  }

  #take(each: OnnxNode): void {
    if (each.opType === 'Transpose') {
      this.#turn(each);
      return;
    }
    const isTurned = each.inputs.some((name) => this.#turnOf(name) !== undefined);
    if (isTurned && (this.#move(each) || this.#combine(each) || this.#concatenate(each) || this.#ignore(each))) return;
    this.#nodes.push({ ...each, inputs: each.inputs.map((name) => this.#plain(name)) });
  }

  #turn({ inputs: [input = ''], outputs: [output = ''], attributes }: OnnxNode): void {
    const { source, permutation } = this.#turned.get(input) ?? { source: input, permutation: undefined };
    const written = attributes['perm'];
    const rank = this.#rankOf(input);
    const own =
      written?.type === 'ints' ? written.value.map(Number) : Array.from({ length: rank }, (_, axis) => rank - 1 - axis);
    this.#turned.set(output, { source, permutation: permutation ? composed(permutation, own) : own });
  }

  /** The permutation of a value that is not there as it is; undefined for one that is, or that is another by name only. */
  #turnOf(name: string): Turned | undefined {
    const turned = this.#turned.get(name);
    return turned && !isIdentity(turned.permutation) ? turned : undefined;
  }

  /** The name under which the value is there; a Transpose is written where it is not. */
  #plain(name: string): string {
    const turned = this.#turned.get(name);
    if (!turned) return name;
    if (isIdentity(turned.permutation)) return turned.source;
    const key = keyOf(turned);
    const known = this.#written.get(key);
    if (known !== undefined) return known;
    this.#write(name, turned);
    this.#written.set(key, name);
    return name;
  }

  #write(name: string, { source, permutation }: Turned): void {
    this.#nodes.push(node('Transpose', [source], name, { perm: ints(permutation) }));
    this.#turned.delete(name);
  }

  /** An operator that works on one value, on any order of axes. */
  #move(each: OnnxNode): boolean {
    const [first = '', ...others] = each.inputs;
    const turned = this.#turnOf(first);
    const moved =
      turned &&
      MOVERS[each.opType]?.({
        node: each,
        permutation: turned.permutation,
        constant: (index) => this.#constants.get(each.inputs[index] ?? ''),
      });
    if (!moved) return false;
    const inputs = others.map((name, index) => {
      const constant = moved.constants.get(index + 1);
      return constant
        ? this.#constant({ ...constant, name: `${each.outputs[0]}/moved_${constant.name}` })
        : this.#plain(name);
    });
    this.#emit({ ...each, attributes: moved.attributes, inputs: [turned.source, ...inputs] }, moved.permutation);
    return true;
  }

  /** An element-wise operator of several values, each of them turned alike or constant. */
  #combine(each: OnnxNode): boolean {
    if (!BROADCASTING.has(each.opType)) return false;
    const rank = Math.max(...each.inputs.map((name) => this.#rankOf(name)));
    const permutation = each.inputs
      .map((name) => this.#turnOf(name)?.permutation)
      .find((found) => found?.length === rank);
    if (!permutation) return false;
    const inputs = each.inputs.map((name) => this.#turnedInput(name, permutation));
    if (inputs.includes(undefined)) return false;
    this.#emit({ ...each, inputs: inputs.map((name) => name ?? '') }, permutation);
    return true;
  }

  #concatenate(each: OnnxNode): boolean {
    if (each.opType !== 'Concat') return false;
    const permutation = each.inputs.map((name) => this.#turnOf(name)?.permutation).find((found) => found);
    if (!permutation) return false;
    const inputs = each.inputs.map((name) => this.#turnedInput(name, permutation));
    if (inputs.includes(undefined)) return false;
    const axis = int(sourceAxis(permutation, numberOf(each.attributes['axis']) ?? 0));
    const attributes = { ...each.attributes, axis };
    this.#emit({ ...each, inputs: inputs.map((name) => name ?? ''), attributes }, permutation);
    return true;
  }

  /** A Flatten or Reshape of a value that only axes of size 1 were moved in: the elements lie as they did. */
  #ignore(each: OnnxNode): boolean {
    if (each.opType !== 'Flatten' && each.opType !== 'Reshape') return false;
    const [first = '', ...others] = each.inputs;
    const turned = this.#turnOf(first);
    const shape = this.#facts.get(first)?.shape;
    if (!turned || !shape || turned.permutation[0] !== 0) return false;
    const sourceShape = inverse(turned.permutation).map((axis) => shape[axis] ?? null);
    const sizes = this.#facts.get(others[0] ?? '')?.elements;
    if (each.opType === 'Reshape' && (!sizes || sizes.lastIndexOf(0) > 0)) return false;
    if (each.opType === 'Flatten' && (numberOf(each.attributes['axis']) ?? 1) !== 1) return false;
    if (!keepsOrder(turned.permutation, sourceShape)) return false;
    this.#nodes.push({ ...each, inputs: [turned.source, ...others.map((name) => this.#plain(name))] });
    return true;
  }

  /** The name of a value whose transposition by `permutation` is `name`, if that is there or is a constant. */
  #turnedInput(name: string, permutation: Permutation): string | undefined {
    const turned = this.#turned.get(name);
    if (turned && isSame(turned.permutation, permutation)) return turned.source;
    const constant = this.#constants.get(name);
    if (constant) return this.#turnedConstant(constant, permutation);
    const back = inverse(permutation);
    const known = this.#written.get(
      keyOf({ source: turned?.source ?? name, permutation: turned ? composed(turned.permutation, back) : back }),
    );
    return known ?? (turned ? undefined : this.#withoutMoving(name, back));
  }

  /** The transposition of a value in which only axes of size 1 move, as the factors of all channels of an image: it costs nothing. */
  #withoutMoving(name: string, permutation: Permutation): string | undefined {
    const shape = this.#facts.get(name)?.shape;
    if (shape?.length !== permutation.length || !keepsOrder(permutation, shape)) return undefined;
    const result = `${name}/${permutation.join('')}`;
    this.#write(result, { source: name, permutation });
    this.#written.set(keyOf({ source: name, permutation }), result);
    return result;
  }

  #turnedConstant(constant: OnnxTensor, permutation: Permutation): string | undefined {
    if (constant.shape.every((size) => size === 1)) return constant.name;
    if (constant.type !== 'float32') return undefined;
    const missing = new Array<number>(permutation.length - constant.shape.length).fill(1);
    const whole = {
      ...constant,
      name: `${constant.name}/${permutation.join('')}`,
      shape: [...missing, ...constant.shape],
    };
    return this.#constant(permuted(whole, inverse(permutation)));
  }

  #constant(tensor: OnnxTensor): string {
    this.#constants.set(tensor.name, tensor);
    return tensor.name;
  }

  /** Adds a node whose results are those of the graph before they are transposed. */
  #emit(each: OnnxNode, permutation: Permutation): void {
    const outputs = each.outputs.map((name) => {
      if (name === '') return name;
      const source = `${name}/before_transpose`;
      this.#ranks.set(source, permutation.length);
      this.#turned.set(name, { source, permutation });
      return source;
    });
    const [first = ''] = outputs;
    this.#nodes.push({ ...each, outputs, name: each.name === each.outputs[0] ? first : each.name });
  }

  #rankOf(name: string): number {
    return this.#facts.get(name)?.shape?.length ?? this.#ranks.get(name) ?? 0;
  }

  /** Writes the outputs, and says what may be called by the name of a value that went. */
  #namesAtEnd(): Map<string, string> {
    const names = new Map<string, string>();
    const outputs = new Set(this.#source.outputs.map(({ name }) => name));
    const fixed = new Set([...outputs, ...this.#source.inputs.map(({ name }) => name), ...this.#constants.keys()]);
    const rename = (source: string, name: string) => {
      if (names.has(source) || fixed.has(source)) return false;
      names.set(source, name);
      return true;
    };
    for (const name of outputs) {
      const turned = this.#turned.get(name);
      if (!turned) continue;
      if (!isIdentity(turned.permutation)) this.#write(name, turned);
      else if (!rename(turned.source, name)) this.#nodes.push(node('Identity', [turned.source], name));
    }
    for (const [name, { source }] of this.#turned) if (!outputs.has(name)) rename(source, name);
    return names;
  }
}

function keyOf({ source, permutation }: Turned): string {
  return `${source} ${permutation.join()}`;
}
