import { type AttributeSource, int, ints } from '@atelier/onnx';
import type { Draw } from '../draw.ts';
import { type Example, type GradientCase, variable } from '../example.ts';
import { at, build, eachPosition, elementCount, mean, type Tensor64 } from '../tensor64.ts';

/** Windows over spatial axes as they were drawn: one number per axis. */
interface Geometry {
  kernel: number[];
  strides: number[];
  dilations: number[];
  before: number[];
  inputSizes: number[];
  outputSizes: number[];
  attributes: Record<string, AttributeSource>;
}

interface Allowed {
  /** Whether an automatic padding may meet strides longer than the kernel: onnxruntime's pooling cannot do that. */
  gaps?: boolean;
  /** Whether the last window may reach beyond the padding (`ceil_mode`). */
  ceil?: boolean;
  dilations?: boolean;
}

/** One or two spatial axes; strides, dilations and pads at random, or pads by one of the automatic rules. */
function drawGeometry(draw: Draw, { gaps = false, ceil = false, dilations = true }: Allowed = {}): Geometry {
  const rank = draw.integer(1, 2);
  const axes = Array.from({ length: rank }, (_, axis) => axis);
  const automatic = draw.pick(undefined, undefined, 'NOTSET', 'SAME_UPPER', 'SAME_LOWER', 'VALID');
  const isExplicit = automatic === undefined || automatic === 'NOTSET';
  const isSame = automatic === 'SAME_UPPER' || automatic === 'SAME_LOWER';
  const isCeiled = ceil && isExplicit && draw.boolean();
  const drawn = axes.map(() => {
    const kernel = draw.integer(1, 3);
    const stride = draw.integer(1, isSame && !gaps ? kernel : 3);
    const dilation = dilations && !isSame ? draw.integer(1, 2) : 1;
    const extent = (kernel - 1) * dilation + 1;
    const [before, after] = isExplicit ? [draw.integer(0, kernel - 1), draw.integer(0, kernel - 1)] : [0, 0];
    // As large as the dilation at least, so that every window has an element of the input.
    const size = Math.max(dilation, extent - before - after) + draw.integer(0, 3);
    if (isSame) {
      const output = Math.ceil(size / stride);
      const total = Math.max(0, (output - 1) * stride + extent - size);
      const least = automatic === 'SAME_UPPER' ? Math.floor(total / 2) : Math.ceil(total / 2);
      return { kernel, stride, dilation, before: least, after: total - least, size, output };
    }
    const steps = (size + before + after - extent) / stride;
    if (!isCeiled) return { kernel, stride, dilation, before, after, size, output: Math.floor(steps) + 1 };
    // A last window that begins behind the input is refused; when its input is large enough, it begins inside.
    const isBehind = Math.ceil(steps) * stride >= size + before;
    const larger = isBehind ? Math.ceil(steps) * stride + extent - before - after : size;
    const output = Math.ceil((larger + before + after - extent) / stride) + 1;
    return { kernel, stride, dilation, before, after, size: larger, output };
  });
  const numbers = (key: keyof (typeof drawn)[number]) => drawn.map((axis) => axis[key]);
  const unless = (name: string, key: 'stride' | 'dilation') =>
    numbers(key).every((number) => number === 1) && draw.boolean() ? {} : { [name]: ints(numbers(key)) };
  return {
    kernel: numbers('kernel'),
    strides: numbers('stride'),
    dilations: numbers('dilation'),
    before: numbers('before'),
    inputSizes: numbers('size'),
    outputSizes: numbers('output'),
    attributes: {
      ...unless('strides', 'stride'),
      ...(dilations ? unless('dilations', 'dilation') : {}),
      ...(automatic === undefined ? {} : { auto_pad: automatic }),
      ...(isExplicit ? { pads: ints([...numbers('before'), ...numbers('after')]) } : {}),
      ...(isCeiled ? { ceil_mode: int(1) } : {}),
    },
  };
}

/** Visits what lies in the window at `place`: its offset in the kernel and its position in the input. */
function eachInWindow(
  { kernel, strides, dilations, before, inputSizes }: Geometry,
  place: readonly number[],
  visit: (offset: readonly number[], position: readonly number[]) => void,
): void {
  eachPosition(kernel, (offset) => {
    const position = offset.map(
      (steps, axis) => (place[axis] ?? 0) * (strides[axis] ?? 1) + steps * (dilations[axis] ?? 1) - (before[axis] ?? 0),
    );
    if (position.every((at, axis) => at >= 0 && at < (inputSizes[axis] ?? 0))) visit(offset, position);
  });
}

/** Pooling of distinct numbers, whose windows all have one in the input. */
function pooling(
  draw: Draw,
  geometry: Geometry,
  pool: (numbers: readonly number[]) => number,
  attributes: Record<string, AttributeSource> = {},
): Example {
  const [batch, channels] = [draw.integer(1, 2), draw.integer(1, 2)];
  return {
    attributes: { kernel_shape: ints(geometry.kernel), ...geometry.attributes, ...attributes },
    inputs: [variable(draw.distinct([batch, channels, ...geometry.inputSizes]))],
    forward: (x) => [
      build([batch, channels, ...geometry.outputSizes], ([example = 0, channel = 0, ...place]) => {
        const numbers: number[] = [];
        eachInWindow(geometry, place, (_, position) => numbers.push(at(x, [example, channel, ...position])));
        return pool(numbers);
      }),
    ],
  };
}

export const WINDOWS: readonly GradientCase[] = [
  {
    operator: 'Conv',
    about: 'with one or two spatial axes, groups and every kind of padding',
    example: (draw) => {
      const geometry = drawGeometry(draw, { gaps: true });
      const group = draw.integer(1, 3);
      const [inputs, outputs] = [draw.integer(1, 2), draw.integer(1, 2)]; // of each group
      const batch = draw.integer(1, 2);
      const { kernel, inputSizes, outputSizes } = geometry;
      const hasBias = draw.boolean();
      return {
        attributes: {
          ...geometry.attributes,
          ...(group === 1 ? {} : { group: int(group) }),
          ...draw.pick({}, { kernel_shape: ints(kernel) }),
        },
        inputs: [
          variable(draw.values([batch, group * inputs, ...inputSizes])),
          variable(draw.values([group * outputs, inputs, ...kernel])),
          ...(hasBias ? [variable(draw.values([group * outputs]))] : []),
        ],
        forward: (x, weights, bias?: Tensor64) => [
          build([batch, group * outputs, ...outputSizes], ([example = 0, channel = 0, ...place]) => {
            let total = bias?.data[channel] ?? 0;
            const first = Math.floor(channel / outputs) * inputs;
            eachInWindow(geometry, place, (offset, position) => {
              for (let input = 0; input < inputs; input++) {
                total += at(x, [example, first + input, ...position]) * at(weights, [channel, input, ...offset]);
              }
            });
            return total;
          }),
        ],
      };
    },
  },
  {
    operator: 'MaxPool',
    example: (draw) => {
      const example = pooling(draw, drawGeometry(draw, { ceil: true }), (numbers) => Math.max(...numbers));
      return example;
    },
  },
  {
    operator: 'AveragePool',
    about: 'without the padding',
    example: (draw) => {
      const geometry = drawGeometry(draw, { dilations: false });
      const attributes = draw.pick({}, { count_include_pad: int(0) });
      return pooling(
        draw,
        geometry,
        (numbers) => numbers.reduce((sum, each) => sum + each, 0) / numbers.length,
        attributes,
      );
    },
  },
  {
    operator: 'AveragePool',
    about: 'with the padding counted',
    example: (draw) => {
      const geometry = drawGeometry(draw, { dilations: false });
      const count = elementCount(geometry.kernel);
      const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0);
      return pooling(draw, geometry, (numbers) => sum(numbers) / count, { count_include_pad: int(1) });
    },
  },
  {
    operator: 'AveragePool',
    about: 'with dilations, from version 19 on',
    example: (draw) => {
      const geometry = drawGeometry(draw);
      const count = elementCount(geometry.kernel);
      const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0);
      return {
        ...pooling(draw, geometry, (numbers) => sum(numbers) / count, { count_include_pad: int(1) }),
        opsets: [19, 22],
      };
    },
  },
  {
    operator: 'GlobalAveragePool',
    example: (draw) => {
      const shape = [draw.integer(1, 3), draw.integer(1, 3), ...draw.shape(1, 3, 3)];
      const axes = [...shape.keys()].slice(2);
      return { inputs: [variable(draw.values(shape))], forward: (x) => [mean(x, axes)] };
    },
  },
];
