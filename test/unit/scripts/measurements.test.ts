import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { listOf, positiveNumber, wholeNumber } from '../../../scripts/src/arguments.ts';
import { markdownTable } from '../../../scripts/src/measurements/markdown-table.ts';
import { median, spread, spreadInWords } from '../../../scripts/src/measurements/statistics.ts';

describe('measurements', () => {
  test('the median of an even number of values lies between the two in the middle', () => {
    assert.equal(median([3, 1, 2]), 2);
    assert.equal(median([4, 1, 3, 10]), 3.5);
  });

  test('a spread is told with its ends, or as one value where they are the same', () => {
    const text = (value: number) => value.toFixed(1);
    assert.equal(spreadInWords(spread([2, 1, 4]), text, 's'), '2.0 s (1.0 to 4.0)');
    assert.equal(spreadInWords(spread([2, 2]), text), '2.0');
    assert.throws(() => spread([]), /No values/);
  });

  test("a table's columns are as wide as their widest cell", () => {
    assert.equal(
      markdownTable(['a', 'long title'], [['wide cell', '1']]),
      '| a         | long title |\n| --------- | ---------- |\n| wide cell | 1          |',
    );
  });

  test('a list option takes each value once, and a factor is a positive number', () => {
    assert.deepEqual(listOf(wholeNumber(0, 9))('1, 2,3'), [1, 2, 3]);
    assert.throws(() => listOf(wholeNumber(0, 9))('1,1'), /each value once/);
    assert.throws(() => listOf(wholeNumber(0, 9))('1,12'), /whole number from 0 to 9/);
    assert.equal(positiveNumber('0.25'), 0.25);
    for (const wrong of ['0', '-1', 'half', '']) assert.throws(() => positiveNumber(wrong), /positive number/);
  });
});
