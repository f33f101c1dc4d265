import { int, ints } from '@atelier/onnx';
import type { DifferentiatedNode } from '../differentiated-node.ts';
import type { NodeView } from '../node-view.ts';
import { product, range, sameShape, shown } from '../shapes.ts';
import type { Operator } from './operator.ts';
import { type Windows, windowsOf } from './windows.ts';

/** Convolutions over any number of spatial axes. The gradient by the input is a convolution too (arXiv 1603.07285). */
export const CONVOLUTION = {
  Conv: {
    infer: (node) => {
      const [batch = 0] = node.shapeOf(0);
      const [channels = 0] = node.shapeOf(1);
      return [{ type: node.elementType(0), shape: [batch, channels, ...convolutionWindows(node).outputSizes] }];
    },
    gradient: (node) => {
      const { graph, gradient } = node;
      const windows = convolutionWindows(node);
      return [
        node.ifWanted(0, () => scatterWindows(node, gradient, node.input(1), windows, node.int('group', 1))),
        node.ifWanted(1, () =>
          node.int('group', 1) === 1 ? gradientByKernel(node, windows) : gradientByGroupedKernel(node, windows),
        ),
        node.ifWanted(2, () => graph.sum(gradient, [0, ...spatialAxes(node)], false)),
      ];
    },
    limits: 'any number of spatial axes, tested with one and two; groups; every kind of padding',
  },
  ConvTranspose: {
    infer: (node) => {
      const [batch = 0] = node.shapeOf(0);
      const [, channels = 0, ...kernel] = node.shapeOf(1);
      const pads = node.ints('pads') ?? [];
      const sizes = kernel.map((size, axis) => {
        const [strides, dilations] = [node.ints('strides')?.[axis] ?? 1, node.ints('dilations')?.[axis] ?? 1];
        const padding = (pads[axis] ?? 0) + (pads[axis + kernel.length] ?? 0);
        const steps = (node.shapeOf(0)[axis + 2] ?? 1) - 1;
        return steps * strides + (size - 1) * dilations + 1 - padding + (node.ints('output_padding')?.[axis] ?? 0);
      });
      return [{ type: node.elementType(0), shape: [batch, channels * node.int('group', 1), ...sizes] }];
    },
  },
} satisfies Record<string, Operator>;

/**
 * Each number of `source`, [batch, channels, ...output sizes], times the kernel, added up where its window lies: what a
 * convolution does, the other way round. `kernel` is [channels, channels of the result per group, ...].
 */
export function scatterWindows(
  { graph }: DifferentiatedNode,
  source: string,
  kernel: string,
  { strides, dilations, padsBefore, padsAfter, left }: Windows,
  group: number,
): string {
  return graph.add('ConvTranspose', [source, kernel], {
    strides: ints(strides),
    dilations: ints(dilations),
    // What lies behind the last window gets zeros; what reaches beyond the padding is cut off as the padding is.
    pads: ints([...padsBefore, ...padsAfter.map((pad, axis) => pad + Math.max(0, -(left[axis] ?? 0)))]),
    output_padding: ints(left.map((size) => Math.max(0, size))),
    group: int(group),
  });
}

/**
 * One product of two matrices: the gradient as [outputs, places·batch], and for every element of the kernel what it was
 * multiplied by at these places, [inputs·kernel, places·batch]. The batch comes last, so that examples are gathered
 * together, which is several times faster in onnxruntime than the convolution below.
 */
function gradientByKernel(node: DifferentiatedNode, windows: Windows): string {
  const { graph, gradient } = node;
  const { kernel, padsBefore, padsAfter, inputSizes, outputSizes } = windows;
  const [batch = 1, inputs = 1] = node.shapeOf(0);
  const [outputs = 1] = node.shapeOf(1);
  const batchLast = (name: string) => graph.add('Transpose', [name], { perm: ints([1, ...spatialAxes(node), 0]) });
  const isPadded = [...padsBefore, ...padsAfter].some((pad) => pad > 0);
  const image = isPadded
    ? graph.add('Pad', [batchLast(node.input(0)), graph.ints([0, ...padsBefore, 0, 0, ...padsAfter, 0])])
    : batchLast(node.input(0));
  const sizes = inputSizes.map((size, axis) => size + (padsBefore[axis] ?? 0) + (padsAfter[axis] ?? 0));
  const positions = graph.ints(windowPositions(windows, sizes)); // [kernel·places]
  const rows = graph.reshape(image, [inputs, product(sizes), batch]);
  const gathered = graph.add('Gather', [rows, positions], { axis: int(1) });
  const places = product(outputSizes) * batch;
  const factors = graph.reshape(gathered, [inputs * product(kernel), places]);
  const byOutput = graph.reshape(batchLast(gradient), [outputs, places]);
  return graph.reshape(graph.add('Gemm', [byOutput, factors], { transB: int(1) }), node.shapeOf(1));
}

/** For every element of the kernel, then for every place of a window: the position in a plane of `sizes`, row-major. */
function windowPositions({ kernel, strides, dilations, outputSizes }: Windows, sizes: readonly number[]): number[] {
  const positions = (counts: readonly number[], steps: readonly number[]) =>
    counts.reduce(
      (outer, count, axis) =>
        outer.flatMap((whole) => range(count).map((at) => whole * (sizes[axis] ?? 1) + at * (steps[axis] ?? 1))),
      [0],
    );
  const starts = positions(outputSizes, strides);
  return positions(kernel, dilations).flatMap((offset) => starts.map((start) => start + offset));
}

/**
 * The convolution of the input with the gradient, in which the batch takes the place of the channels, and strides
 * and dilations change places. Each group of channels is convolved with its own part of the gradient.
 */
function gradientByGroupedKernel(node: DifferentiatedNode, windows: Windows): string {
  const { graph, gradient } = node;
  const [batch = 1, channels = 1] = node.shapeOf(0);
  const group = node.int('group', 1);
  const spatial = spatialAxes(node);
  const exchanged = (name: string) => graph.add('Transpose', [name], { perm: ints([1, 0, ...spatial]) });
  const grouped = graph.reshape(node.input(0), [batch, group, channels / group, ...windows.inputSizes]);
  const perm = ints([2, 1, 0, ...spatial.map((axis) => axis + 1)]);
  const byGroup = graph.add('Transpose', [grouped], { perm });
  const image = graph.reshape(byGroup, [channels / group, group * batch, ...windows.inputSizes]);
  const products = graph.add('Conv', [image, exchanged(gradient)], {
    strides: ints(windows.dilations),
    dilations: ints(windows.strides),
    pads: ints([...windows.padsBefore, ...windows.padsAfter]),
    group: int(group),
  });
  // Where the strides have left a rest behind the last window, there may be places beyond the kernel's.
  const isExact = sameShape(graph.shapeOf(products).slice(2), windows.kernel);
  const zeros = windows.kernel.map(() => 0);
  const exact = isExact
    ? products
    : graph.add('Slice', [products, graph.ints(zeros), graph.ints(windows.kernel), graph.ints(spatial)]);
  return exchanged(exact);
}

function convolutionWindows(node: NodeView): Windows {
  const [input, kernel] = [node.shapeOf(0), node.shapeOf(1)];
  const group = node.int('group', 1);
  const [outputs = 0, inputs = 0, ...sizes] = kernel;
  if (input.length !== kernel.length || inputs * group !== input[1] || outputs % group !== 0) {
    throw node.malformed(`it convolves ${shown(input)} with ${shown(kernel)} in ${group} groups.`);
  }
  return windowsOf(node, sizes);
}

function spatialAxes(node: NodeView): number[] {
  return range(node.shapeOf(0).length).slice(2);
}
