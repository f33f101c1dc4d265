import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { numberIn, wholeNumberIn } from '@atelier/domain';
import { z } from 'zod';

describe('a number in a range', () => {
  const told: [z.ZodType, unknown, string][] = [
    [wholeNumberIn({ from: 1, to: 10_000 }), 10_000_000, 'expected a whole number from 1 to 10,000; came 10000000'],
    [wholeNumberIn({ from: 1, to: 10_000 }), 0, 'expected a whole number from 1 to 10,000; came 0'],
    [wholeNumberIn({ from: 1, to: 10_000 }), 1.5, 'expected a whole number from 1 to 10,000; came 1.5'],
    [wholeNumberIn({ from: 1, to: 10_000 }), 1e300, 'expected a whole number from 1 to 10,000; came 1e+300'],
    [wholeNumberIn({ from: 1, to: 10_000 }), -1e300, 'expected a whole number from 1 to 10,000; came -1e+300'],
    [wholeNumberIn({ above: 0 }), 0, 'expected a whole number above 0; came 0'],
    [wholeNumberIn({ from: 1 }), 1e300, 'expected a whole number from 1 to 9,007,199,254,740,991; came 1e+300'],
    [numberIn({ from: 0, below: 1 }), 1, 'expected a number from 0 to below 1; came 1'],
    [numberIn({ above: 0 }), -0.1, 'expected a number above 0; came -0.1'],
    [numberIn({ above: 1e-7, to: 0.5 }), 0, 'expected a number above 0.0000001 to 0.5; came 0'],
    [numberIn({ to: 5 }), NaN, 'expected a number to 5; came NaN'],
    [numberIn({}), Infinity, 'expected a number; came Infinity'],
    [numberIn({ above: 0 }), 'many', 'expected a number above 0; came "many"'],
    [numberIn({ above: 0 }), `${'9'.repeat(40)}8`, `expected a number above 0; came "${'9'.repeat(40)}…"`],
    [numberIn({ above: 0 }), undefined, 'expected a number above 0; came nothing'],
    [numberIn({ above: 0 }), null, 'expected a number above 0; came null'],
    [numberIn({ above: 0 }), true, 'expected a number above 0; came true'],
    [numberIn({ above: 0 }), [1, 2], 'expected a number above 0; came a list'],
    [numberIn({ above: 0 }), { kind: 1 }, 'expected a number above 0; came an object'],
  ];
  for (const [schema, value, message] of told) {
    test(`says once: ${message}`, () => {
      assert.deepEqual(
        schema.safeParse(value).error?.issues.map((issue) => issue.message),
        [message],
      );
    });
  }

  test('takes what lies on its bounds where they belong to it', () => {
    for (const value of [0, 10]) {
      assert.equal(numberIn({ from: 0, to: 10 }).parse(value), value);
      assert.equal(wholeNumberIn({ from: 0, to: 10 }).parse(value), value);
      assert.throws(() => numberIn({ above: 0, below: 10 }).parse(value));
      assert.throws(() => wholeNumberIn({ above: 0, below: 10 }).parse(value));
    }
  });

  test("is in JSON Schema what zod's own is", () => {
    const ours = z.strictObject({ whole: wholeNumberIn({ from: 1, to: 9 }), share: numberIn({ above: 0, below: 1 }) });
    const own = z.strictObject({ whole: z.int().min(1).max(9), share: z.number().gt(0).lt(1) });
    assert.deepEqual(z.toJSONSchema(ours), z.toJSONSchema(own));
  });
});
