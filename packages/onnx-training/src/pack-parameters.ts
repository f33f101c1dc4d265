import { int, int64Vector, node, type OnnxGraph, type OnnxNode, value } from '@atelier/onnx';
import { malformedGraph } from './errors.ts';
import { product } from './shapes.ts';
import { freshName, valueNames } from './value-names.ts';

/** A tensor to be trained: one of the caller's, or several of them one after the other in a vector. */
export interface PackedParameter {
  readonly name: string;
  readonly parts?: readonly { readonly name: string; readonly shape: readonly number[] }[];
}

export interface Packing {
  /** The forward graph, which splits each vector into its parts before anything else. */
  graph: OnnxGraph;
  parameters: readonly PackedParameter[];
}

/**
 * Replaces small parameters by vectors that hold several of them. An optimiser takes about ten nodes for a tensor, and
 * a node of few elements costs as much as one of thousands. Parameters of different groups stay apart.
 */
export function packParameters(
  graph: OnnxGraph,
  options: {
    parameters: readonly string[];
    /** Elements of the largest parameter that is packed. */
    limit: number;
    groupOf: (name: string) => string;
  },
): Packing {
  const shapes = new Map(options.parameters.map((name) => [name, shapeOf(graph, name)]));
  const small = options.parameters.filter((name) => product(shapes.get(name) ?? []) <= options.limit);
  const packed = [...new Set(small.map(options.groupOf))]
    .map((group) => [group, small.filter((name) => options.groupOf(name) === group)] as const)
    .filter(([, names]) => names.length > 1);
  const isPacked = new Set(packed.flatMap(([, names]) => names));
  const taken = valueNames(graph);
  const vectors = packed.map(([group, names]): Vector => {
    const name = freshName(`packed/${group}`, taken);
    const parts = names.map((part) => {
      const shape = shapes.get(part) ?? [];
      if (shape.length === 1) return { name: part, shape, flat: part };
      return {
        name: part,
        shape,
        flat: freshName(`${part}/flat`, taken),
        target: freshName(`${part}/shape`, taken),
      };
    });
    return { name, sizes: freshName(`${name}/sizes`, taken), parts };
  });
  return {
    graph: {
      ...graph,
      nodes: [...vectors.flatMap(splitting), ...graph.nodes],
      inputs: [
        ...graph.inputs.filter(({ name }) => !isPacked.has(name)),
        ...vectors.map(({ name, parts }) =>
          value(name, 'float32', [parts.reduce((sum, { shape }) => sum + product(shape), 0)]),
        ),
      ],
      initializers: [
        ...graph.initializers.filter(({ name }) => !isPacked.has(name)),
        ...vectors.flatMap(({ sizes, parts }) => [
          int64Vector(
            sizes,
            parts.map(({ shape }) => product(shape)),
          ),
          ...parts.flatMap(({ target, shape }) => (target === undefined ? [] : [int64Vector(target, shape)])),
        ]),
      ],
    },
    parameters: [
      ...options.parameters.filter((name) => !isPacked.has(name)).map((name) => ({ name })),
      ...vectors.map(({ name, parts }) => ({
        name,
        parts: parts.map((part) => ({ name: part.name, shape: part.shape })),
      })),
    ],
  };
}

/** Several parameters in one, with the names of what takes them apart. */
interface Vector {
  readonly name: string;
  /** The constant that says how many elements each part has. */
  readonly sizes: string;
  readonly parts: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    /** The part before it has its shape, itself where it is a vector. */
    readonly flat: string;
    /** The constant that is its shape; absent where it is a vector. */
    readonly target?: string;
  }[];
}

/** The nodes that give a vector's parts under their own names and in their own shapes. */
function splitting({ name, sizes, parts }: Vector): OnnxNode[] {
  return [
    node(
      'Split',
      [name, sizes],
      parts.map(({ flat }) => flat),
      { axis: int(0) },
    ),
    ...parts.flatMap((part) =>
      part.target === undefined ? [] : [node('Reshape', [part.flat, part.target], part.name)],
    ),
  ];
}

function shapeOf({ inputs, initializers }: OnnxGraph, name: string): readonly number[] {
  const declared = inputs.find((input) => input.name === name) ?? initializers.find((each) => each.name === name);
  if (declared?.shape == null) throw malformedGraph(`There is no input or initializer "${name}" to train.`);
  if (declared.type !== 'float32') {
    throw malformedGraph(`Parameter "${name}" is of ${declared.type}; expected float32.`);
  }
  return declared.shape.map((size) => {
    if (typeof size === 'number') return size;
    throw malformedGraph(`Parameter "${name}" has an open dimension; expected its size.`);
  });
}
