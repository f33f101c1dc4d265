import { int, ints } from '@atelier/onnx';
import type { Draw } from '../draw.ts';
import { type Example, type GradientCase, scalar, variable, wholeNumbers } from '../example.ts';
import { at, build, elementCount, reshaped } from '../tensor64.ts';

/** Elements in the same order under another shape. */
function rearranged(
  operator: string,
  drawn: (
    draw: Draw,
  ) => Pick<Example, 'attributes' | 'opsets'> & { from: number[]; to: number[]; constants?: number[][] },
): GradientCase {
  return {
    operator,
    example: (draw) => {
      const { from, to, constants = [], ...rest } = drawn(draw);
      return {
        ...rest,
        inputs: [variable(draw.values(from)), ...constants.map(wholeNumbers)],
        forward: (x) => [reshaped(x, to)],
      };
    },
  };
}

/** The positions that Python's range gives for a slice of `size` elements. */
function slicePositions(size: number, start: number, end: number, step: number): number[] {
  const positive = (position: number) => (position < 0 ? position + size : position);
  const [low, high] = step > 0 ? [0, size] : [-1, size - 1];
  const clamped = (position: number) => Math.min(high, Math.max(low, positive(position)));
  const positions: number[] = [];
  const last = clamped(end);
  for (let at = Math.max(0, clamped(start)); step > 0 ? at < last : at > last; at += step) positions.push(at);
  return positions;
}

export const SHAPES: readonly GradientCase[] = [
  rearranged('Reshape', (draw) => {
    const from = draw.shape(0, 3);
    const count = elementCount(from);
    const to = draw.pick([count], [1, count], [count, 1, 1], from, [...from, 1], from.toReversed());
    const open = draw.integer(0, to.length);
    const isSame = (size: number, axis: number) => from[axis] === size && draw.boolean();
    const written = to.map((size, axis) => (axis === open ? -1 : isSame(size, axis) ? 0 : size));
    return { from, to, constants: [written] };
  }),
  rearranged('Flatten', (draw) => {
    const from = draw.shape(1, 4, 3);
    const axis = draw.integer(0, from.length);
    const written = axis < from.length && draw.boolean() ? axis - from.length : axis;
    const to = [elementCount(from.slice(0, axis)), elementCount(from.slice(axis))];
    return { from, to, attributes: axis === 1 && draw.boolean() ? {} : { axis: int(written) } };
  }),
  rearranged('Squeeze', (draw) => {
    const from = draw.shape(1, 4, 2);
    const ones = [...from.keys()].filter((axis) => from[axis] === 1);
    const chosen = draw.pick(
      null,
      draw.subset(ones.length).map((index) => ones[index] ?? 0),
    );
    const removed = chosen === null || chosen.length === 0 ? ones : chosen;
    const to = from.filter((_, axis) => !removed.includes(axis));
    const written = removed.map((axis) => (draw.boolean() ? axis : axis - from.length));
    return { from, to, ...(chosen === null || chosen.length === 0 ? {} : { constants: [written] }) };
  }),
  rearranged('Unsqueeze', (draw) => {
    const from = draw.shape(0, 3);
    const rank = from.length + draw.integer(1, 2);
    const added = draw.permutation(rank).slice(0, rank - from.length);
    const sizes = [...from];
    const to = Array.from({ length: rank }, (_, axis) => (added.includes(axis) ? 1 : (sizes.shift() ?? 1)));
    return { from, to, constants: [added.map((axis) => (draw.boolean() ? axis : axis - rank))] };
  }),
  {
    operator: 'Transpose',
    example: (draw) => {
      const shape = draw.shape(0, 4, 3);
      const order = draw.pick(null, draw.permutation(shape.length));
      const axes = order ?? [...shape.keys()].reverse();
      return {
        attributes: order === null ? {} : { perm: ints(order) },
        inputs: [variable(draw.values(shape))],
        forward: (x) => [
          build(
            axes.map((axis) => shape[axis] ?? 1),
            (position) =>
              at(
                x,
                [...shape.keys()].map((axis) => position[axes.indexOf(axis)] ?? 0),
              ),
          ),
        ],
      };
    },
  },
  {
    operator: 'Expand',
    example: (draw) => {
      const whole = draw.shape(0, 3);
      const [from, target] = [draw.broadcastShape(whole), draw.broadcastShape(whole)];
      const rank = Math.max(from.length, target.length);
      const to = Array.from({ length: rank }, (_, axis) =>
        Math.max(from.at(axis - rank) ?? 1, target.at(axis - rank) ?? 1),
      ).map((size, axis) => (rank - axis > from.length ? (target.at(axis - rank) ?? 1) : size));
      return {
        inputs: [variable(draw.values(from)), wholeNumbers(target)],
        forward: (x) => [build(to, (position) => at(x, position))],
      };
    },
  },
  {
    operator: 'Concat',
    example: (draw) => {
      const shape = draw.shape(1, 3);
      const { axis, written } = draw.axis(shape.length);
      const sizes = Array.from({ length: draw.integer(1, 3) }, () => draw.integer(1, 3));
      return {
        attributes: { axis: int(written) },
        inputs: sizes.map((size) => variable(draw.values(shape.with(axis, size)))),
        forward: (...operands) => [
          build(
            shape.with(
              axis,
              sizes.reduce((sum, size) => sum + size),
            ),
            (position) => {
              let along = position[axis] ?? 0;
              const operand = operands.find((_, index) => {
                const size = sizes[index] ?? 0;
                if (along < size) return true;
                along -= size;
                return false;
              });
              return operand === undefined ? NaN : at(operand, position.with(axis, along));
            },
          ),
        ],
      };
    },
  },
  {
    operator: 'Split',
    example: (draw) => {
      const shape = draw.shape(1, 3);
      const { axis, written } = draw.axis(shape.length);
      const sizes = Array.from({ length: draw.integer(1, 3) }, () => draw.integer(1, 3));
      const starts = sizes.map((_, index) => sizes.slice(0, index).reduce((sum, size) => sum + size, 0));
      const whole = shape.with(
        axis,
        sizes.reduce((sum, size) => sum + size, 0),
      );
      const outputs = sizes.map(() => draw.pick('differentiable', 'float32'));
      return {
        attributes: { axis: int(written) },
        inputs: [variable(draw.values(whole)), wholeNumbers(sizes)],
        outputs: outputs.with(draw.integer(0, sizes.length - 1), 'differentiable'),
        forward: (x) =>
          sizes.map((size, index) =>
            build(whole.with(axis, size), (position) =>
              at(x, position.with(axis, (position[axis] ?? 0) + (starts[index] ?? 0))),
            ),
          ),
      };
    },
  },
  {
    operator: 'Split',
    about: 'into equal parts, of which the last may be smaller',
    example: (draw) => {
      const shape = draw.shape(1, 3, 7);
      const { axis, written } = draw.axis(shape.length);
      const isNew = draw.boolean();
      const part = draw.integer(1, shape[axis] ?? 1);
      // Until version 17 all parts are equal, and their number is that of the outputs.
      const whole = isNew ? shape : shape.with(axis, part * draw.integer(1, 3));
      const size = whole[axis] ?? 1;
      const count = Math.ceil(size / part);
      const parts = Array.from({ length: count }, (_, index) => Math.min(part, size - index * part));
      return {
        attributes: { axis: int(written), ...(isNew ? { num_outputs: int(count) } : {}) },
        inputs: [variable(draw.values(whole))],
        outputs: parts.map(() => 'differentiable'),
        opsets: isNew ? [18, 22] : [16, 17],
        forward: (x) =>
          parts.map((length, index) =>
            build(whole.with(axis, length), (position) =>
              at(x, position.with(axis, (position[axis] ?? 0) + index * part)),
            ),
          ),
      };
    },
  },
  {
    operator: 'Slice',
    about: 'from either end, with steps and backwards',
    example: (draw) => {
      const shape = draw.shape(1, 3, 5);
      const isOfAll = draw.boolean();
      const axes = isOfAll ? [...shape.keys()] : draw.subset(shape.length, 1);
      const slices = axes.map((axis) => {
        const size = shape[axis] ?? 1;
        for (;;) {
          const step = draw.pick(1, 1, 2, 3, -1, -2);
          const far = draw.pick(-1000, 1000);
          const start = draw.pick(draw.integer(-size, size - 1), far);
          const end = draw.pick(draw.integer(-size, size), step > 0 ? 1000 : -1000);
          const positions = slicePositions(size, start, end, step);
          if (positions.length > 0) return { axis, start, end, step, positions };
        }
      });
      const to = [...shape];
      for (const { axis, positions } of slices) to[axis] = positions.length;
      const hasSteps = slices.some(({ step }) => step !== 1) || draw.boolean();
      const writtenAxes = axes.map((axis) => (draw.boolean() ? axis : axis - shape.length));
      return {
        inputs: [
          variable(draw.values(shape)),
          wholeNumbers(slices.map(({ start }) => start)),
          wholeNumbers(slices.map(({ end }) => end)),
          isOfAll && draw.boolean() ? null : wholeNumbers(writtenAxes),
          ...(hasSteps ? [wholeNumbers(slices.map(({ step }) => step))] : []),
        ],
        forward: (x) => [
          build(to, (position) => {
            const source = [...position];
            for (const { axis, positions } of slices) source[axis] = positions[position[axis] ?? 0] ?? NaN;
            return at(x, source);
          }),
        ],
      };
    },
  },
  {
    operator: 'Pad',
    about: 'with a constant, cutting where a size is negative',
    example: (draw) => {
      const shape = draw.shape(1, 3).map((size) => size + 1);
      const axes = draw.pick(null, draw.subset(shape.length, 1));
      const count = axes?.length ?? shape.length;
      const pads = Array.from({ length: 2 * count }, (_, index) =>
        index < count ? draw.integer(-1, 2) : draw.integer(0, 2),
      );
      const before = shape.map((_, axis) => pads[axes === null ? axis : axes.indexOf(axis)] ?? 0);
      const after = shape.map(
        (_, axis) => (axes === null || axes.includes(axis) ? pads[count + (axes?.indexOf(axis) ?? axis)] : 0) ?? 0,
      );
      const filling = draw.pick(null, draw.number(-2, 2));
      const written = axes?.map((axis) => (draw.boolean() ? axis : axis - shape.length));
      return {
        attributes: draw.pick({}, { mode: 'constant' }),
        inputs: [
          variable(draw.values(shape)),
          wholeNumbers(pads),
          ...(filling === null ? (written === undefined ? [] : [null]) : [scalar(filling)]),
          ...(written === undefined ? [] : [wholeNumbers(written)]),
        ],
        ...(axes === null ? {} : { opsets: [18, 22] }),
        forward: (x) => [
          build(
            shape.map((size, axis) => size + (before[axis] ?? 0) + (after[axis] ?? 0)),
            (position) => {
              const source = position.map((place, axis) => place - (before[axis] ?? 0));
              const isInside = source.every((place, axis) => place >= 0 && place < (shape[axis] ?? 1));
              return isInside ? at(x, source) : (filling ?? 0);
            },
          ),
        ],
      };
    },
  },
];
