import type { NodeView } from '../node-view.ts';
import { broadcast, shown, type TensorType } from '../shapes.ts';

/** The types of results that many operators share. */
export function valueLikeFirst(node: NodeView): TensorType[] {
  return [node.typeOf(0)];
}

/** Type of the first input, another shape. */
export function valueOfShape(node: NodeView, shape: readonly number[]): TensorType[] {
  return [{ type: node.elementType(0), shape }];
}

/** Type of the first input, shape of all of them broadcast against each other. */
export function valueByBroadcasting(node: NodeView): TensorType[] {
  return [{ type: node.elementType(0), shape: broadcastShape(node, inputIndices(node)) }];
}

export function truthByBroadcasting(node: NodeView): TensorType[] {
  return [{ type: 'bool', shape: broadcastShape(node, inputIndices(node)) }];
}

export function broadcastShape(node: NodeView, indices: readonly number[]): number[] {
  const shapes = indices.map((index) => node.shapeOf(index));
  const result = broadcast(...shapes);
  if (result !== null) return result;
  throw node.malformed(`its inputs have shapes ${shapes.map(shown).join(' and ')}, which do not fit each other.`);
}

function inputIndices({ inputCount }: NodeView): number[] {
  return Array.from({ length: inputCount }, (_, index) => index);
}
