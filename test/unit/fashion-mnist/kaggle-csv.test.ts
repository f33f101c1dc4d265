import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DomainError, PIXELS_PER_IMAGE } from '@atelier/domain';
import { type Examples, readKaggleCsv } from '@atelier/fashion-mnist';
import fc from 'fast-check';
import { drawnExamples } from './drawn-dataset.ts';

const header = ['label', ...Array.from({ length: PIXELS_PER_IMAGE }, (_, index) => `pixel${index + 1}`)];
const blank = new Array<string>(PIXELS_PER_IMAGE + 1).fill('0');

const text = (...rows: string[][]) => [header, ...rows].map((row) => `${row.join(',')}\n`).join('');
const rowsOf = ({ images, labels, count }: Examples) =>
  Array.from({ length: count }, (_, row) =>
    [labels[row], ...images.subarray(row * PIXELS_PER_IMAGE, (row + 1) * PIXELS_PER_IMAGE)].map(String),
  );
const withField = (column: number, value: string) => blank.with(column - 1, value);
const malformed = (message: RegExp) => ({ name: 'DomainError', code: 'malformed-csv', message });

test('reads back the examples that a CSV was made of, with LF or CRLF, with or without the last line break and a byte order mark', () => {
  fc.assert(
    fc.property(
      fc.nat(3),
      fc.nat(),
      fc.boolean(),
      fc.boolean(),
      fc.boolean(),
      (count, seed, crlf, unterminated, marked) => {
        const examples = drawnExamples(count, seed);
        let csv = text(...rowsOf(examples));
        if (unterminated) csv = csv.slice(0, -1);
        if (crlf) csv = csv.replaceAll('\n', '\r\n');
        if (marked) csv = `\uFEFF${csv}`;
        assert.deepEqual(readKaggleCsv(csv, 'f'), examples);
      },
    ),
  );
});

test('reads the shortest row there is: single digits without a line break', () => {
  const { images, labels, count } = readKaggleCsv(text(withField(785, '7')).slice(0, -1), 'f');
  assert.equal(count, 1);
  assert.deepEqual(labels, Uint8Array.of(0));
  assert.deepEqual(images, new Uint8Array(PIXELS_PER_IMAGE).fill(7, -1));
});

test('reads bytes as it reads text', () => {
  const csv = text(...rowsOf(drawnExamples(2)));
  assert.deepEqual(readKaggleCsv(Buffer.from(csv), 'f'), readKaggleCsv(csv, 'f'));
});

test('answers any single damaged character with malformed-csv or a result, never with another error', () => {
  const csv = Buffer.from(text(...rowsOf(drawnExamples(2))));
  fc.assert(
    fc.property(fc.nat(csv.length - 1), fc.nat(255), (position, byte) => {
      const damaged = Buffer.from(csv);
      damaged[position] = byte;
      try {
        assert.equal(readKaggleCsv(damaged, 'f').count, 2);
      } catch (error) {
        assert.ok(error instanceof DomainError && error.code === 'malformed-csv', String(error));
      }
    }),
  );
});

const faults: [title: string, csv: string, message: RegExp][] = [
  ['an empty file', '', /^f: line 1, column 1: expected "label", found nothing\.$/],
  ['a file without header', `${blank.join(',')}\n`, /^f: line 1, column 1: expected "label", found "0"\.$/],
  [
    'another name in the header',
    text().replace('pixel7,', 'pixel_7,'),
    /line 1, column 8: expected "pixel7", found "pixel_7"/,
  ],
  ['a header that ends early', 'label,pixel1\n0,0\n', /line 1, column 3: expected "pixel2", found nothing/],
  [
    'a header that goes on',
    text().replace('\n', ',more\n'),
    /line 1, column 786: expected the end of the line, found "more"/,
  ],
  [
    'a comma after the header',
    text().replace('\n', ',\n'),
    /line 1, column 786: expected the end of the line, found nothing/,
  ],
  ['a second byte order mark', `\uFEFF\uFEFF${text()}`, /line 1, column 1: expected "label", found "\uFEFFlabel"/],
  [
    'a label above 9',
    text(blank, withField(1, '10')),
    /^f: line 3, column 1 \(label\): expected .* 0 to 9, found "10"\.$/,
  ],
  [
    'a pixel above 255',
    text(withField(3, '256')),
    /^f: line 2, column 3 \(pixel2\): expected .* 0 to 255, found "256"\.$/,
  ],
  ['a negative pixel', text(withField(785, '-1')), /line 2, column 785 \(pixel784\): .* found "-1"/],
  ['a fraction', text(withField(5, '1.5')), /line 2, column 5 \(pixel4\): .* found "1\.5"/],
  ['a leading zero', text(withField(5, '007')), /line 2, column 5 \(pixel4\): .* found "007"/],
  ['a space', text(withField(5, ' 7')), /line 2, column 5 \(pixel4\): .* found " 7"/],
  ['an empty field', text(withField(5, '')), /line 2, column 5 \(pixel4\): .* found nothing/],
  ['an endless number', text(withField(5, '9'.repeat(400))), /line 2, column 5 \(pixel4\): .* found "9{20}"/],
  ['a word in the last column', text(withField(785, 'x')), /line 2, column 785 \(pixel784\): .* found "x"/],
  [
    'a line that ends early',
    text(blank.slice(0, 12), blank),
    /line 2, column 12 \(pixel11\): the line ends here; expected 785/,
  ],
  ['a file that ends early', text(blank).slice(0, -3), /line 2, column 784 \(pixel783\): the line ends here/],
  ['a line that goes on', text([...blank, '0']), /line 2, column 785 \(pixel784\): the line goes on after this column/],
  ['a blank line', `${text(blank)}\n${blank.join(',')}\n`, /line 3, column 1 \(label\): .* found nothing/],
];
for (const [title, csv, message] of faults) {
  test(`refuses ${title} and names line and column`, () => {
    assert.throws(() => readKaggleCsv(csv, 'f'), malformed(message));
  });
}
