import type { DifferentiatedNode } from '../differentiated-node.ts';
import type { NodeView } from '../node-view.ts';
import { product, range, type TensorType } from '../shapes.ts';
import { scatterWindows } from './convolution.ts';
import type { Operator } from './operator.ts';
import { overlap, type Windows, windowsOf } from './windows.ts';

/** Pooling over any number of spatial axes. */
export const POOLING = {
  MaxPool: {
    infer: (node) => {
      const [pooled] = inferPooling(node);
      return pooled === undefined ? [] : [pooled, { type: 'int64', shape: pooled.shape }];
    },
    gradient: (node) => [node.ifWanted(0, () => maxPoolGradient(node))],
    limits: 'of equal elements of a window, the first gets the gradient; `storage_order` 0',
  },
  AveragePool: {
    infer: inferPooling,
    gradient: (node) => [node.ifWanted(0, () => averagePoolGradient(node))],
    limits: '`ceil_mode` where no window reaches beyond the padding',
  },
  GlobalAveragePool: {
    infer: (node) => {
      const [batch = 0, channels = 0, ...sizes] = node.shapeOf(0);
      return [{ type: node.elementType(0), shape: [batch, channels, ...sizes.map(() => 1)] }];
    },
    gradient: (node) => [
      node.ifWanted(0, () => {
        const { graph, gradient } = node;
        return graph.repeat(graph.times(gradient, 1 / product(node.shapeOf(0).slice(2))), node.shapeOf(0));
      }),
    ],
  },
} satisfies Record<string, Operator>;

function inferPooling(node: NodeView): TensorType[] {
  const [batch = 0, channels = 0] = node.shapeOf(0);
  return [{ type: node.elementType(0), shape: [batch, channels, ...poolingWindows(node).outputSizes] }];
}

function poolingWindows(node: NodeView): Windows {
  const kernel = node.ints('kernel_shape');
  if (kernel === undefined) throw node.malformed('it has no kernel_shape.');
  return windowsOf(node, kernel);
}

/** To the element that was the largest: MaxPool's second output says where it is in the whole input, row-major. */
function maxPoolGradient(node: DifferentiatedNode): string {
  const { graph, gradient } = node;
  if (node.int('storage_order', 0) !== 0) throw node.unsupported('its storage_order is 1; supported: 0.');
  const shape = node.shapeOf(0);
  const zeros = graph.filled(0, [product(shape)], gradient);
  const count = product(graph.shapeOf(gradient));
  const places = graph.reshape(node.requireOutput(1), [count]);
  const reduction = overlap(poolingWindows(node)) ? { reduction: 'add' } : {};
  return graph.reshape(
    graph.add('ScatterElements', [zeros, places, graph.reshape(gradient, [count])], reduction),
    shape,
  );
}

/** Each result's gradient, divided by the number of elements that it is the mean of, to all of these. */
function averagePoolGradient(node: DifferentiatedNode): string {
  const { graph, gradient } = node;
  const windows = poolingWindows(node);
  if (windows.left.some((size) => size < 0)) {
    throw node.unsupported('its last window reaches beyond the padding; supported: windows within it.');
  }
  const [batch = 1, channels = 1] = node.shapeOf(0);
  const shares = graph.over(gradient, windowCounts(node, windows));
  const ones = graph.numbers([1, 1, ...windows.kernel], new Array<number>(product(windows.kernel)).fill(1), gradient);
  const planes = graph.reshape(shares, [batch * channels, 1, ...windows.outputSizes]);
  return graph.reshape(scatterWindows(node, planes, ones, windows, 1), node.shapeOf(0));
}

/** How many elements each window counts: a number, or where windows count differently a constant of the output sizes. */
function windowCounts(node: DifferentiatedNode, windows: Windows): number | string {
  const { kernel, strides, dilations, padsBefore, inputSizes, outputSizes } = windows;
  if (node.int('count_include_pad', 0) !== 0) return product(kernel);
  const perAxis = outputSizes.map((size, axis) =>
    range(size).map((at) => {
      const start = at * (strides[axis] ?? 1) - (padsBefore[axis] ?? 0);
      const places = range(kernel[axis] ?? 1).map((offset) => start + offset * (dilations[axis] ?? 1));
      return places.filter((place) => place >= 0 && place < (inputSizes[axis] ?? 0)).length;
    }),
  );
  const counts = perAxis.reduce((outer, inner) => outer.flatMap((count) => inner.map((other) => count * other)), [1]);
  if (counts.every((count) => count === product(kernel))) return product(kernel);
  return node.graph.numbers(outputSizes, counts, node.gradient);
}
