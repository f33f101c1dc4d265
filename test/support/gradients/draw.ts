import fc from 'fast-check';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { elementCount, type Tensor64, tensor64 } from './tensor64.ts';

/** What a case draws its shapes, settings and numbers from. Shapes and settings shrink when a property fails. */
export class Draw {
  readonly #generate: fc.GeneratorValue;
  readonly #random: RandomGenerator;

  constructor(generate: fc.GeneratorValue) {
    this.#generate = generate;
    this.#random = xoroshiro128plus(generate(fc.noShrink, fc.integer()));
  }

  /** From `lowest` to `highest`, both included. */
  integer(lowest: number, highest: number): number {
    return this.#generate(fc.integer, { min: lowest, max: highest });
  }

  boolean(): boolean {
    return this.#generate(fc.boolean);
  }

  pick<T>(...choices: readonly [T, ...T[]]): T {
    return choices[this.integer(0, choices.length - 1)] as T;
  }

  /** Sizes 1 to `highest`, size 1 as likely as each of the others. */
  shape(lowestRank: number, highestRank: number, highest = 4): number[] {
    return Array.from({ length: this.integer(lowestRank, highestRank) }, () => this.integer(1, highest));
  }

  /** `count` shapes that fit each other by broadcasting: axes of some are missing in front or have size 1. */
  broadcastShapes(count: number, highestRank = 3): number[][] {
    const whole = this.shape(0, highestRank);
    return Array.from({ length: count }, () => this.broadcastShape(whole));
  }

  /** A shape that can be broadcast to `whole`. */
  broadcastShape(whole: readonly number[]): number[] {
    const missing = this.pick(0, 0, 0, this.integer(0, whole.length));
    return whole.slice(missing).map((size) => this.pick(size, size, 1));
  }

  /** An axis of a value of `rank`, counted from the front or from the back: [as written, from the front]. */
  axis(rank: number): { axis: number; written: number } {
    const axis = this.integer(0, rank - 1);
    return { axis, written: this.boolean() ? axis : axis - rank };
  }

  /** Some of `range`, in random order. */
  subset(count: number, lowest = 0): number[] {
    const order = this.permutation(count);
    return order.slice(0, this.integer(lowest, count));
  }

  permutation(count: number): number[] {
    const order = Array.from({ length: count }, (_, index) => index);
    for (let index = count - 1; index > 0; index--) {
      const other = this.integer(0, index);
      [order[index], order[other]] = [order[other] ?? 0, order[index] ?? 0];
    }
    return order;
  }

  /** A number that float32 holds exactly. */
  number(lowest: number, highest: number): number {
    return Math.fround(lowest + (highest - lowest) * uniformFloat64(this.#random));
  }

  /**
   * Numbers that float32 holds exactly, from `lowest` to `highest`, at least 0.02 away from each of `corners`, where
   * the function has no derivative.
   */
  values(shape: readonly number[], lowest = -2, highest = 2, corners: readonly number[] = []): Tensor64 {
    const one = (): number => {
      const value = this.number(lowest, highest);
      return corners.some((corner) => Math.abs(value - corner) < 0.02) ? one() : value;
    };
    return tensor64(shape, Array.from({ length: elementCount(shape) }, one));
  }

  /** Numbers of which no two are closer than 0.05: for functions of the largest. */
  distinct(shape: readonly number[]): Tensor64 {
    const count = elementCount(shape);
    const values = Array.from({ length: count }, (_, index) => Math.fround((index - count / 2) / 20));
    for (let index = count - 1; index > 0; index--) {
      const other = uniformInt(this.#random, 0, index);
      [values[index], values[other]] = [values[other] ?? 0, values[index] ?? 0];
    }
    return tensor64(shape, values);
  }

  /** Whole numbers from `lowest` to `highest`, both included. */
  integers(shape: readonly number[], lowest: number, highest: number): Tensor64 {
    const values = Array.from({ length: elementCount(shape) }, () => uniformInt(this.#random, lowest, highest));
    return tensor64(shape, values);
  }
}
