import { inferGraph, int64Values, int64Vector, type OnnxGraph, type OnnxNode, type OnnxTensor } from '@atelier/onnx';
import { keepsOrder } from './permutations.ts';
import { Uses } from './uses.ts';

/** A Reshape whose result is transposed with only axes of size 1 moving becomes one Reshape to the transposed shape. */
export function mergeReshapes(graph: OnnxGraph, opset: number): OnnxGraph {
  const uses = new Uses(graph);
  const facts = inferGraph(graph, opset);
  const replaced = new Map<OnnxNode, OnnxNode | undefined>();
  const constants: OnnxTensor[] = [];
  for (const transpose of graph.nodes.filter(({ opType }) => opType === 'Transpose')) {
    const [input = ''] = transpose.inputs;
    const reshape = uses.onlyFor(input);
    const shape = facts.get(input)?.shape;
    const sizes = reshape?.opType === 'Reshape' ? uses.constant(reshape.inputs[1]) : undefined;
    const permutation = transpose.attributes['perm'];
    if (!reshape || !shape || sizes?.type !== 'int64' || permutation?.type !== 'ints') continue;
    const axes = permutation.value.map(Number);
    const written = Array.from(int64Values(sizes), Number);
    // 0 is the size of the same axis of the source: it must stay where it is.
    if (!keepsOrder(axes, shape) || axes.some((axis, place) => written[axis] === 0 && axis !== place)) continue;
    const [output = ''] = transpose.outputs;
    const merged = int64Vector(
      `${output}/shape`,
      axes.map((axis) => written[axis] ?? 0),
    );
    constants.push(merged);
    replaced.set(reshape, undefined);
    replaced.set(transpose, {
      ...reshape,
      name: output,
      inputs: [reshape.inputs[0] ?? '', merged.name],
      outputs: [output],
    });
  }
  return uses.replaced(replaced, constants);
}
