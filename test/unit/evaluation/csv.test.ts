import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { reportCsv } from '@atelier/evaluation';
import fc from 'fast-check';
import { HOSTILE_NAMES, reportOfNames } from '../../support/evaluation-reports.ts';

/** Rows of fields as RFC 4180 has them; whatever it does not allow is an error. */
function parsed(csv: string): string[][] {
  const rows: string[][] = [[]];
  const pattern = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/gy;
  while (pattern.lastIndex < csv.length) {
    const place = pattern.lastIndex;
    const [, quoted, plain, end] =
      pattern.exec(csv) ?? assert.fail(`no field at ${JSON.stringify(csv.slice(place, 80))}`);
    rows.at(-1)?.push(quoted?.replaceAll('""', '"') ?? plain ?? '');
    if (end === '\r\n') rows.push([]);
  }
  assert.deepEqual(rows.pop(), [], 'the last line ends too');
  return rows;
}

describe('a report as CSV', () => {
  const report = reportOfNames(HOSTILE_NAMES);
  const rows = parsed(reportCsv(report));
  const value = (section: string, item: string, measure: string) =>
    rows.find((row) => row[0] === section && row[1] === item && row[2] === measure)?.[3];

  test('is one table of four columns under a header, as RFC 4180 has it', () => {
    assert.deepEqual(rows[0], ['section', 'item', 'measure', 'value']);
    assert.ok(rows.length > 300);
    for (const row of rows) assert.equal(row.length, 4, row.join());
  });

  test('has the numbers of the report to their last digit', () => {
    assert.equal(value('summary', '', 'accuracy'), String(report.accuracy));
    assert.equal(value('summary', '', 'accuracyIntervalLow'), String(report.accuracyInterval[0]));
    assert.equal(value('class', 'Shirt', 'recall'), String(report.perClass[6]?.recall));
    assert.equal(value('confusion', 'Shirt', 'Sneaker'), String(report.confusionMatrix[6]?.[7]));
    assert.equal(value('timingsMs', '', 'decode'), '300');
    assert.equal(value('summary', '', 'inputIgnored'), '3');
    assert.equal(value('comparison', '', 'mcnemarPValue'), String(report.comparison?.mcnemar.pValue));
    assert.equal(value('comparison', '', 'accuracyDifference'), String(report.comparison?.accuracyDifference));
    assert.ok((report.comparison?.accuracyDifference ?? 0) < 0, 'a negative number stays a number');
    assert.equal(value('against.summary', '', 'accuracy'), String(report.comparison?.metrics.accuracy));
    assert.equal(value('unreadable', '', 'undecodable-image'), String(HOSTILE_NAMES.length));
  });

  test('has no text that a spreadsheet takes for a formula, whatever separates its cells', () => {
    const texts = rows.flatMap((row) => row.filter((field) => field !== '' && Number.isNaN(Number(field))));
    for (const text of texts) {
      for (const cell of text.split(/[;\t\r\n]/)) assert.doesNotMatch(cell, /^\s*[=+\-@]/, text);
    }
    assert.equal(value('mistake', '5', 'name'), `'=cmd|"/C calc"!A0.png`);
    assert.equal(value('mistake', '10', 'name'), "a;'=1+1.png");
  });

  test('shows characters that hide or turn round others', () => {
    assert.equal(value('mistake', '13', 'name'), 'photo\\u{202e}gpj.exe');
    assert.equal(value('mistake', '12', 'name'), 'nothing\\u{0}after.png');
    assert.equal(value('mistake', '14', 'name'), 'صورة حذاء.png');
  });

  test('keeps its form whatever the names are', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' }), { minLength: 1, maxLength: 8 }), (names) => {
        for (const row of parsed(reportCsv(reportOfNames(names, false)))) assert.equal(row.length, 4);
      }),
      { numRuns: 30 },
    );
  });
});
