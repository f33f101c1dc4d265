import {
  type AttributeSource,
  boolScalar,
  type DataType,
  dataTypeCode,
  type Dimension,
  float32Scalar,
  float32Tensor,
  type Elements,
  int,
  int64Scalar,
  int64Vector,
  ints,
  type OnnxTensor,
} from '@atelier/onnx';
import { malformed } from '../errors.ts';
import type { GraphBuilder } from './graph-builder.ts';
import { channelsToBack, channelsToFront, shownShape, type Value } from './value.ts';

type Attributes = Readonly<Record<string, AttributeSource>>;

/** The first opset in which each reduction takes its axes as an input; ReduceSum went ahead. */
const AXES_INPUT_SINCE = { ReduceSum: 13, other: 18 } as const;

/** Elements of a constant that no weight of the file stands behind: the states and places of real models are far fewer. */
const MOST_ELEMENTS = 2 ** 24;

/** How many elements `shape` has, before they are allocated; more than any model needs is `malformed-tfjs-model`. */
export function moderateCount(shape: readonly number[], layer: string): number {
  const count = shape.reduce((product, size) => product * size, 1);
  if (count <= MOST_ELEMENTS) return count;
  throw malformed(
    `Layer "${layer}" needs a constant of ${shownShape(shape)}; expected ${MOST_ELEMENTS} elements at most.`,
  );
}

/**
 * Where the nodes of one call of a layer are added: their names, and those of their constants, begin with its name. An
 * operator's result is called after the operator unless it gets a name of its own.
 */
export class Scope {
  readonly builder: GraphBuilder;
  readonly prefix: string;

  constructor(builder: GraphBuilder, prefix: string) {
    this.builder = builder;
    this.prefix = prefix;
  }

  /** A part of this scope, with longer names. */
  within(part: string): Scope {
    return new Scope(this.builder, `${this.prefix}/${part}`);
  }

  /** Adds a node with one output. An optional input that is left out is undefined. */
  add(opType: string, inputs: readonly (Value | undefined)[], attributes: Attributes = {}, name = opType): Value {
    const [result] = this.addMany(opType, inputs, [name], attributes);
    return result;
  }

  /** Adds a node with several outputs; one that is not wanted has the name ''. */
  addMany<const Names extends readonly string[]>(
    opType: string,
    inputs: readonly (Value | undefined)[],
    names: Names,
    attributes: Attributes = {},
  ): { [Index in keyof Names]: Value } {
    const outputs = names.map((name) => (name === '' ? '' : this.#free(name)));
    return this.builder.add(opType, inputs, outputs, attributes) as { [Index in keyof Names]: Value };
  }

  /** A constant of this scope. */
  constant(make: (name: string) => OnnxTensor, name: string): Value {
    return this.builder.initializer(make(this.#free(name)));
  }

  float(number: number, name: string): Value {
    return this.constant((free) => float32Scalar(free, number), name);
  }

  floats(shape: readonly number[], numbers: Elements<'float32'>, name: string): Value {
    return this.constant((free) => float32Tensor(free, shape, numbers), name);
  }

  /** A constant of one number everywhere. Settings alone decide its size, so a huge one is `malformed-tfjs-model`. */
  filled(shape: readonly number[], number: number, name: string): Value {
    const count = moderateCount(shape, this.prefix);
    return this.floats(shape, new Float32Array(count).fill(number), name);
  }

  int(number: number, name: string): Value {
    return this.constant((free) => int64Scalar(free, number), name);
  }

  ints(numbers: readonly number[], name: string): Value {
    return this.constant((free) => int64Vector(free, numbers), name);
  }

  bool(truth: boolean, name: string): Value {
    return this.constant((free) => boolScalar(free, truth), name);
  }

  cast(source: Value, type: DataType): Value {
    if (source.type === type) return source;
    return this.add('Cast', [source], { to: int(dataTypeCode(type)) }, type);
  }

  transpose(source: Value, permutation: readonly number[], name = 'transposed'): Value {
    if (permutation.every((axis, index) => axis === index)) return source;
    return this.add('Transpose', [source], { perm: ints(permutation) }, name);
  }

  /** From the layout of TensorFlow.js, [batch, ...space, channels], to that of ONNX. */
  channelsFirst(source: Value): Value {
    return this.transpose(source, channelsToFront(source.shape.length), 'channels_first');
  }

  /** The way back. */
  channelsLast(source: Value): Value {
    return this.transpose(source, channelsToBack(source.shape.length), 'channels_last');
  }

  /** Sizes of ONNX's Reshape: 0 keeps a size, -1 is what is left. */
  reshape(source: Value, sizes: readonly number[], name = 'reshaped'): Value {
    return this.add('Reshape', [source, this.ints(sizes, 'shape')], {}, name);
  }

  squeeze(source: Value, axes: readonly number[], name = 'squeezed'): Value {
    return this.add('Squeeze', [source, this.ints(axes, 'axes')], {}, name);
  }

  unsqueeze(source: Value, axes: readonly number[], name = 'unsqueezed'): Value {
    return this.add('Unsqueeze', [source, this.ints(axes, 'axes')], {}, name);
  }

  concat(sources: readonly Value[], axis: number, name = 'concatenated'): Value {
    return this.add('Concat', sources, { axis: int(axis) }, name);
  }

  /** Elements from `start` to before `end` along `axis`; both may count from the end. */
  slice(source: Value, axis: number, start: number, end: number, step = 1, name = 'slice'): Value {
    const bounds = [this.ints([start], 'starts'), this.ints([end], 'ends'), this.ints([axis], 'axes')];
    return this.add('Slice', [source, ...bounds, ...(step === 1 ? [] : [this.ints([step], 'steps')])], {}, name);
  }

  /** The elements at these places of `axis`, in their order. */
  gather(source: Value, axis: number, places: readonly number[], name: string): Value {
    return this.add('Gather', [source, this.ints(places, name)], { axis: int(axis) }, 'gathered');
  }

  /** Without so many elements at the beginning and the end of each axis from `first` on. */
  cropped(source: Value, first: number, borders: readonly (readonly [begin: number, end: number])[]): Value {
    const cuts = borders.map(([begin, end], axis) => ({ begin, end, axis: axis + first }));
    const wanted = cuts.filter(({ begin, end }) => begin > 0 || end > 0);
    if (wanted.length === 0) return source;
    const bounds = [
      this.ints(
        wanted.map(({ begin }) => begin),
        'starts',
      ),
      this.ints(
        wanted.map(({ end }) => (end > 0 ? -end : Number.MAX_SAFE_INTEGER)),
        'ends',
      ),
      this.ints(
        wanted.map(({ axis }) => axis),
        'axes',
      ),
    ];
    return this.add('Slice', [source, ...bounds], {}, 'cropped');
  }

  /** All elements in the opposite order. */
  reverse(source: Value, axis: number): Value {
    return this.slice(source, axis, -1, -(2 ** 31), -1, 'reversed');
  }

  /** ReduceMean, ReduceMax and their like. */
  reduce(
    opType: `Reduce${string}`,
    source: Value,
    axes: readonly number[],
    keeps = false,
    name: string = opType,
  ): Value {
    const since = opType === 'ReduceSum' ? AXES_INPUT_SINCE.ReduceSum : AXES_INPUT_SINCE.other;
    const keepdims = int(keeps ? 1 : 0);
    if (this.builder.opset >= since) {
      return this.add(opType, [source, this.ints(axes, 'axes')], { keepdims }, name);
    }
    return this.add(opType, [source], { axes: ints(axes), keepdims }, name);
  }

  /** The shape of `source` as an int64 vector: a constant where all of it is known. */
  shapeOf(source: Value): Value {
    return this.add('Shape', [source], {}, 'shape_of');
  }

  /** A state that the caller hands over from one run to the next: an input of the graph. */
  stateInput(name: string, shape: readonly Dimension[]): Value {
    return this.builder.input(name, 'float32', shape);
  }

  #free(name: string): string {
    return this.builder.unusedName(`${this.prefix}/${name}`);
  }
}
