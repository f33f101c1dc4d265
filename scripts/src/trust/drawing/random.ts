import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** Numbers that are the same on every machine. */
export interface Random {
  /** Uniform, `from` included and `to` not. */
  between(from: number, to: number): number;
  /** Whole, both included. */
  whole(from: number, to: number): number;
  /** Of the standard normal distribution. */
  normal(): number;
  pick<T>(values: readonly T[]): T;
}

export function randomOf(seed: number): Random {
  const generator = xoroshiro128plus(seed);
  const unit = () => uniformFloat64(generator);
  const whole = (from: number, to: number) => from + Math.floor(unit() * (to - from + 1));
  return {
    between: (from, to) => from + unit() * (to - from),
    whole,
    // The sum of twelve has the variance 1; what it lacks are tails beyond six.
    normal: () => Array.from({ length: 12 }, unit).reduce((sum, each) => sum + each, -6),
    pick: (values) => values[whole(0, values.length - 1)] as (typeof values)[number],
  };
}
