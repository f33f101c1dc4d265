import { float, int, ints } from '@atelier/onnx';
import type { DifferentiatedNode } from '../differentiated-node.ts';
import type { NodeView } from '../node-view.ts';
import { broadcast, product, range, sameShape, shown, type TensorType } from '../shapes.ts';
import type { Operator } from './operator.ts';

/** Matrix products. The gradients are products too, with transposition as an attribute where Gemm allows it. */
export const PRODUCTS = {
  Gemm: {
    infer: inferGemm,
    gradient: (node) => {
      const { graph, gradient } = node;
      const [first, second] = [node.input(0), node.input(1)];
      const [transA, transB] = [node.int('transA', 0), node.int('transB', 0)];
      const alpha = node.float('alpha', 1);
      const beta = node.float('beta', 1);
      const gemm = (left: string, right: string, leftTransposed: number, rightTransposed: number) =>
        graph.add('Gemm', [left, right], {
          alpha: float(alpha),
          transA: int(leftTransposed),
          transB: int(rightTransposed),
        });
      return [
        node.ifWanted(0, () =>
          transA === 0 ? gemm(gradient, second, 0, 1 - transB) : gemm(second, gradient, transB, 1),
        ),
        node.ifWanted(1, () =>
          transB === 0 ? gemm(first, gradient, 1 - transA, 0) : gemm(gradient, first, 1, transA),
        ),
        node.ifWanted(2, () => graph.times(graph.sumTo(gradient, node.shapeOf(2)), beta)),
      ];
    },
  },
  MatMul: { infer: inferMatMul, gradient: matMulGradient },
} satisfies Record<string, Operator>;

function inferGemm(node: NodeView): TensorType[] {
  const sizes = (index: number, transposed: boolean) => {
    const shape = node.shapeOf(index);
    if (shape.length !== 2) throw node.malformed(`input ${index} has shape ${shown(shape)}; expected a matrix.`);
    const [rows = 0, columns = 0] = shape;
    return transposed ? [columns, rows] : [rows, columns];
  };
  const [rows = 0, inner = 0] = sizes(0, node.int('transA', 0) !== 0);
  const [expected = 0, columns = 0] = sizes(1, node.int('transB', 0) !== 0);
  if (inner !== expected) throw node.malformed(`it multiplies [${rows}, ${inner}] by [${expected}, ${columns}].`);
  const added = node.hasInput(2) ? node.shapeOf(2) : [];
  if (!sameShape(broadcast([rows, columns], added) ?? [], [rows, columns])) {
    throw node.malformed(`it adds ${shown(added)} to a product of shape [${rows}, ${columns}].`);
  }
  return [{ type: node.elementType(0), shape: [rows, columns] }];
}

/** Shapes of MatMul's operands as stacks of matrices: a vector is a row on the left, a column on the right. */
function asMatrices(node: NodeView): { first: number[]; second: number[] } {
  const [first, second] = [node.shapeOf(0), node.shapeOf(1)];
  if (first.length === 0 || second.length === 0) throw node.malformed('an operand is a scalar.');
  return {
    first: first.length === 1 ? [1, ...first] : [...first],
    second: second.length === 1 ? [...second, 1] : [...second],
  };
}

function inferMatMul(node: NodeView): TensorType[] {
  const { first, second } = asMatrices(node);
  const stack = broadcast(first.slice(0, -2), second.slice(0, -2));
  if (stack === null || first.at(-1) !== second.at(-2)) {
    throw node.malformed(`it multiplies ${shown(node.shapeOf(0))} by ${shown(node.shapeOf(1))}.`);
  }
  const rows = node.shapeOf(0).length === 1 ? [] : [first.at(-2) ?? 1];
  const columns = node.shapeOf(1).length === 1 ? [] : [second.at(-1) ?? 1];
  return [{ type: node.elementType(0), shape: [...stack, ...rows, ...columns] }];
}

function matMulGradient(node: DifferentiatedNode): (string | undefined)[] {
  const { graph } = node;
  const shapes = asMatrices(node);
  const stack = broadcast(shapes.first.slice(0, -2), shapes.second.slice(0, -2)) ?? [];
  const [rows, inner, columns] = [shapes.first.at(-2) ?? 1, shapes.first.at(-1) ?? 1, shapes.second.at(-1) ?? 1];
  if (shapes.second.length === 2) {
    // One matrix for all of a stack: the stack is a taller matrix.
    const all = product(stack) * rows;
    const gradient = graph.reshape(node.gradient, [all, columns]);
    const first = graph.reshape(node.input(0), [all, inner]);
    const second = graph.reshape(node.input(1), shapes.second);
    const gemm = (left: string, right: string, transposed: 'transA' | 'transB') =>
      graph.add('Gemm', [left, right], { [transposed]: int(1) });
    return [
      node.ifWanted(0, () => graph.reshape(gemm(gradient, second, 'transB'), node.shapeOf(0))),
      node.ifWanted(1, () => graph.reshape(gemm(first, gradient, 'transA'), node.shapeOf(1))),
    ];
  }
  const gradient = graph.reshape(node.gradient, [...stack, rows, columns]);
  const first = graph.reshape(node.input(0), shapes.first);
  const second = graph.reshape(node.input(1), shapes.second);
  const back = (result: string, index: number, shape: readonly number[]) =>
    graph.reshape(graph.sumTo(result, shape), node.shapeOf(index));
  return [
    node.ifWanted(0, () => back(graph.add('MatMul', [gradient, transposedLast(node, second)]), 0, shapes.first)),
    node.ifWanted(1, () => back(graph.add('MatMul', [transposedLast(node, first), gradient]), 1, shapes.second)),
  ];
}

/** With its last two axes exchanged. */
function transposedLast({ graph }: DifferentiatedNode, name: string): string {
  const rank = graph.shapeOf(name).length;
  const permutation = range(rank);
  permutation.splice(rank - 2, 2, rank - 1, rank - 2);
  return graph.add('Transpose', [name], { perm: ints(permutation) });
}
