import { int, int64Vector, node, type OnnxGraph, type OnnxNode, value } from '@atelier/onnx';
import { malformedGraph } from './errors.ts';
import { product } from './shapes.ts';

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
  const vectors = packed.map(([group, names]) => ({
    name: `packed/${group}`,
    parts: names.map((name) => ({ name, shape: shapes.get(name) ?? [] })),
  }));
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
        ...vectors.flatMap(({ name, parts }) => [
          int64Vector(
            `${name}/sizes`,
            parts.map(({ shape }) => product(shape)),
          ),
          ...parts
            .filter(({ shape }) => shape.length !== 1)
            .map((part) => int64Vector(`${part.name}/shape`, part.shape)),
        ]),
      ],
    },
    parameters: [...options.parameters.filter((name) => !isPacked.has(name)).map((name) => ({ name })), ...vectors],
  };
}

/** The nodes that give a vector's parts under their own names and in their own shapes. */
function splitting({ name, parts }: Required<PackedParameter>): OnnxNode[] {
  const flat = (part: { name: string; shape: readonly number[] }) =>
    part.shape.length === 1 ? part.name : `${part.name}/flat`;
  return [
    node('Split', [name, `${name}/sizes`], parts.map(flat), { axis: int(0) }),
    ...parts
      .filter(({ shape }) => shape.length !== 1)
      .map((part) => node('Reshape', [flat(part), `${part.name}/shape`], part.name)),
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
