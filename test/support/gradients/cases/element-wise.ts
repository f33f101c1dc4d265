import type { AttributeSource } from '@atelier/onnx';
import { type Draw } from '../draw.ts';
import { type GradientCase, variable } from '../example.ts';
import { map } from '../tensor64.ts';

/** What the inputs of a function of one number are drawn from. */
export interface Range {
  lowest?: number;
  highest?: number;
  /** Where the function has no derivative. */
  corners?: readonly number[];
}

/** A function of each element by itself. */
export function unary(operator: string, f: (x: number) => number, range: Range = {}): GradientCase {
  return unaryWith(operator, () => ({ f, ...range }));
}

/** A function of each element by itself that depends on attributes. */
export function unaryWith(
  operator: string,
  drawn: (draw: Draw) => Range & {
    f: (x: number) => number;
    attributes?: Record<string, AttributeSource>;
    opsets?: readonly [number, number];
  },
): GradientCase {
  return {
    operator,
    example: (draw) => {
      const { f, lowest, highest, corners, ...rest } = drawn(draw);
      return {
        ...rest,
        inputs: [variable(draw.values(draw.shape(0, 3), lowest, highest, corners))],
        forward: (x) => [map(x, f)],
      };
    },
  };
}
