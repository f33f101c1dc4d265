import type { NodeView } from '../node-view.ts';
import { range, shown } from '../shapes.ts';

/** How windows slide over the spatial axes of [batch, channels, ...]: one number per axis. */
export interface Windows {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly padsBefore: readonly number[];
  readonly padsAfter: readonly number[];
  readonly inputSizes: readonly number[];
  readonly outputSizes: readonly number[];
  /** What lies behind the last window, padding included; below 0 where the last window reaches beyond the padding. */
  readonly left: readonly number[];
}

/** Reads `strides`, `dilations`, `pads`, `auto_pad` and `ceil_mode` of a convolution or a pooling. */
export function windowsOf(node: NodeView, kernel: readonly number[]): Windows {
  const inputSizes = node.shapeOf(0).slice(2);
  const axes = range(inputSizes.length);
  if (kernel.length !== axes.length || axes.length === 0 || kernel.some((size) => size < 1)) {
    throw node.malformed(`its kernel is ${shown(kernel)} over a value of shape ${shown(node.shapeOf(0))}.`);
  }
  const strides = perAxis(node, 'strides', axes.length, 1);
  const dilations = perAxis(node, 'dilations', axes.length, 1);
  const extent = kernel.map((size, axis) => (size - 1) * (dilations[axis] ?? 1) + 1);
  const automatic = node.string('auto_pad', 'NOTSET');
  const pads = axes.map((axis) => {
    if (automatic === 'NOTSET') return explicitPads(node, axis, axes.length);
    if (automatic === 'VALID') return [0, 0];
    const [size = 0, stride = 1] = [inputSizes[axis], strides[axis]];
    const total = Math.max(0, (Math.ceil(size / stride) - 1) * stride + (extent[axis] ?? 1) - size);
    const [smaller, larger] = [Math.floor(total / 2), Math.ceil(total / 2)];
    if (automatic === 'SAME_UPPER') return [smaller, larger];
    if (automatic === 'SAME_LOWER') return [larger, smaller];
    throw node.malformed(`auto_pad is "${automatic}"; expected NOTSET, SAME_UPPER, SAME_LOWER or VALID.`);
  });
  const isCeiled = automatic === 'NOTSET' && node.int('ceil_mode', 0) !== 0;
  const room = axes.map((axis) => (inputSizes[axis] ?? 0) + (pads[axis]?.[0] ?? 0) + (pads[axis]?.[1] ?? 0));
  const outputSizes = axes.map((axis) => {
    const [stride = 1, before = 0] = [strides[axis], pads[axis]?.[0]];
    const steps = ((room[axis] ?? 0) - (extent[axis] ?? 1)) / stride;
    if (steps < 0) throw node.malformed(`its kernel ${shown(kernel)} is larger than its padded input ${shown(room)}.`);
    if (!isCeiled) return Math.floor(steps) + 1;
    // The specification lets such a window count in some versions and not in others, and so do runtimes.
    if (Math.ceil(steps) * stride >= (inputSizes[axis] ?? 0) + before) {
      throw node.unsupported(
        'by ceil_mode its last window begins behind the input; supported: windows that begin in it.',
      );
    }
    return Math.ceil(steps) + 1;
  });
  const reached = axes.map((axis) => ((outputSizes[axis] ?? 1) - 1) * (strides[axis] ?? 1) + (extent[axis] ?? 1));
  return {
    kernel,
    strides,
    dilations,
    padsBefore: pads.map(([before = 0]) => before),
    padsAfter: pads.map(([, after = 0]) => after),
    inputSizes,
    outputSizes,
    left: axes.map((axis) => (room[axis] ?? 0) - (reached[axis] ?? 0)),
  };
}

/** Whether two windows may have an element in common. */
export function overlap({ kernel, strides, dilations }: Windows): boolean {
  return kernel.some((size, axis) => size > 1 && (size - 1) * (dilations[axis] ?? 1) >= (strides[axis] ?? 1));
}

function explicitPads(node: NodeView, axis: number, rank: number): number[] {
  const pads = node.ints('pads') ?? [];
  return [pads[axis] ?? 0, pads[axis + rank] ?? 0];
}

function perAxis(node: NodeView, name: string, rank: number, fallback: number): number[] {
  const numbers = node.ints(name) ?? new Array<number>(rank).fill(fallback);
  if (numbers.length === rank && numbers.every((number) => number >= 1)) return numbers;
  throw node.malformed(
    `${name} is ${shown(numbers)}; expected ${rank} ${rank === 1 ? 'number' : 'numbers'} of 1 or more.`,
  );
}
