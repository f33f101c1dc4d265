import { dataTypeCode, float32Tensor, type OnnxGraph, type OnnxNode, type OnnxTensor } from '@atelier/onnx';
import { transposed } from './arrays.ts';
import { malformed, unsupported } from './errors.ts';
import { floatValues } from './float-values.ts';

/** A tensor of the file that the graph computes with, in the form in which a node takes it. */
export interface Constant {
  shape: readonly number[];
  values: Float32Array;
  /** Of the initializer that it came from: two constants of one origin are trained as one. */
  origin: string;
  isFloat: boolean;
}

/** Initializers, Constant nodes, and what is only moved about before it is used: a weight behind a Transpose or a Cast. */
export class Constants {
  readonly #tensors = new Map<string, { tensor: OnnxTensor; origin: string }>();
  /** Nodes that give constants, and are done with. */
  readonly folded = new Set<OnnxNode>();

  constructor({ initializers, inputs, nodes }: OnnxGraph) {
    const given = new Set(inputs.map(({ name }) => name));
    for (const tensor of initializers) {
      // What is an input too is the default of something that a caller may change; until IR version 4 all were listed.
      if (tensor.external)
        throw malformed(
          `The elements of "${tensor.name}" are in the file ${tensor.external['location']}, which was not read.`,
        );
      this.#tensors.set(tensor.name, { tensor, origin: tensor.name });
      given.delete(tensor.name);
    }
    for (const node of nodes) this.#fold(node);
  }

  has(name: string): boolean {
    return this.#tensors.has(name);
  }

  /** Undefined for what is computed from the input; a type that float32 cannot hold exactly is `unsupported-operator`. */
  find(name: string): Constant | undefined {
    const found = this.#tensors.get(name);
    if (!found) return undefined;
    const values = floatValues(found.tensor);
    const { type, shape } = found.tensor;
    if (values) return { shape, values, origin: found.origin, isFloat: type.includes('float') };
    throw unsupported(
      `Constant "${name}" is of ${type}, which float32 cannot hold exactly. Convert the model to float32 first.`,
    );
  }

  #fold(node: OnnxNode): void {
    const made = node.opType === 'Constant' ? constantOf(node) : this.#moved(node);
    const [output] = node.outputs;
    if (!made || output === undefined) return;
    this.#tensors.set(output, made);
    this.folded.add(node);
  }

  #moved(node: OnnxNode): { tensor: OnnxTensor; origin: string } | undefined {
    const source = this.#tensors.get(node.inputs[0] ?? '');
    const move = Object.hasOwn(MOVES, node.opType) ? MOVES[node.opType] : undefined;
    if (!source || !move || node.domain !== '') return undefined;
    const tensor = move(source.tensor, node);
    if (!tensor) return undefined;
    // A transposed weight is the same variable, but no layer can share it with the plain one.
    const origin =
      tensor.data === source.tensor.data ? source.origin : `${source.origin} ${JSON.stringify(node.attributes)}`;
    return { tensor, origin };
  }
}

type Move = (tensor: OnnxTensor, node: OnnxNode) => OnnxTensor | undefined;

/** What may stand between a weight and its use; the elements stay the same. */
const MOVES: Partial<Record<string, Move>> = {
  Identity: (tensor) => tensor,
  Dropout: (tensor) => tensor,
  Cast: (tensor, { attributes: { to } }) => {
    if (to?.type !== 'int') return undefined;
    if (Number(to.value) === dataTypeCode(tensor.type)) return tensor;
    const values = Number(to.value) === dataTypeCode('float32') ? floatValues(tensor) : undefined;
    return values && float32Tensor(tensor.name, tensor.shape, values);
  },
  Transpose: (tensor, { attributes: { perm } }) => {
    const values = floatValues(tensor);
    if (!values) return undefined;
    const permutation = perm?.type === 'ints' ? perm.value.map(Number) : [...tensor.shape.keys()].reverse();
    const moved = transposed({ shape: tensor.shape, values }, permutation);
    return float32Tensor(tensor.name, moved.shape, moved.values);
  },
};

function constantOf({ attributes, outputs }: OnnxNode): { tensor: OnnxTensor; origin: string } | undefined {
  const name = outputs[0] ?? '';
  const { value, value_float: single, value_floats: several } = attributes;
  if (value?.type === 'tensor') return { tensor: { ...value.value, name }, origin: name };
  if (single?.type === 'float') return { tensor: float32Tensor(name, [], [single.value]), origin: name };
  if (several?.type === 'floats') {
    return { tensor: float32Tensor(name, [several.value.length], [...several.value]), origin: name };
  }
  return undefined;
}
