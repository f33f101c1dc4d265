import assert from 'node:assert/strict';
import type { EngineState } from '@atelier/trainer';

/** One float32 step of either order of operations: a few units in the last place of numbers around 1. */
export const STEP_TOLERANCE = 1e-6;

/** All but what the optimiser keeps for itself is within `STEP_TOLERANCE` of what is expected. */
export function assertClose(state: EngineState, expected: (name: string, index: number) => number): void {
  for (const [name, { data }] of Object.entries(state.tensors)) {
    if (name.startsWith('optimizer/')) continue;
    data.forEach((value, index) => assertNear(value, expected(name, index), STEP_TOLERANCE, `${name}[${index}]`));
  }
}

export function assertNear(value: number | undefined, expected: number, tolerance: number, what: string): void {
  assert.ok(Math.abs((value ?? NaN) - expected) <= tolerance, `${what}: ${value}, expected ${expected}`);
}

export function assertSameState(actual: EngineState, expected: EngineState): void {
  assert.equal(actual.steps, expected.steps);
  assert.deepEqual(Object.keys(actual.tensors), Object.keys(expected.tensors));
  for (const [name, { data }] of Object.entries(expected.tensors))
    assert.deepEqual(actual.tensors[name]?.data, data, name);
}

/** Whether the optimiser moves it. */
export function isTrained(name: string): boolean {
  return !name.includes('/moving_') && !name.startsWith('optimizer/');
}

/** Euclidean, over all that the optimiser moves. */
export function distance(before: EngineState, after: EngineState): number {
  const squares = Object.entries(after.tensors)
    .filter(([name]) => isTrained(name))
    .map(([name, { data }]) =>
      data.reduce((sum, value, index) => sum + (value - valueAt(before, name, index)) ** 2, 0),
    );
  return Math.sqrt(squares.reduce((sum, value) => sum + value, 0));
}

/** The largest difference of two values in the same place; NaN where the second is shorter. */
export function furthest(first: Float32Array, second: Float32Array): number {
  return first.reduce((most, value, index) => Math.max(most, Math.abs(value - (second[index] ?? NaN))), 0);
}

export function valueAt(state: EngineState, name: string, index: number): number {
  return state.tensors[name]?.data[index] ?? NaN;
}
