import type { OnnxTensor } from '@atelier/onnx';
import type { NodeView } from '../node-view.ts';
import type { DifferentiatedNode } from '../differentiated-node.ts';
import type { TensorType } from '../shapes.ts';

/** What we know of one ONNX operator. */
export interface Operator {
  /** Types of the outputs. Reads attributes and constant inputs; refuses what contradicts the specification. */
  readonly infer: (node: NodeView) => TensorType[];
  /** The tensor that the first output always is, where that is known when the graph is built. */
  readonly constant?: (node: NodeView) => OnnxTensor | undefined;
  /**
   * The gradient of the loss with respect to each input, as names of values that the rule adds to `node.graph`;
   * undefined where none is wanted or none flows. Absent where the result has no useful derivative: comparisons, integers.
   */
  readonly gradient?: (node: DifferentiatedNode) => (string | undefined)[];
  /** For the list of operators in the README: what is refused, what happens in a corner. */
  readonly limits?: string;
  /**
   * Nodes that compute the operator in training and keep what its gradient needs, in place of the node itself. They
   * give the node's outputs under their names; the result names what is kept.
   */
  readonly expand?: (node: NodeView) => Record<string, string>;
}
