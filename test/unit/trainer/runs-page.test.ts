import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DomainError } from '@atelier/domain';
import { runsPage, type StoredRun } from '@atelier/trainer';
import fc from 'fast-check';

/** A run as far as pages know it, of one of four moments. */
function storedRun(moment: number, number: number): StoredRun {
  const createdAt = new Date(Date.UTC(2026, 0, 1, 0, 0, moment)).toISOString();
  const fault = new DomainError('invalid-run', 'For a test');
  return { id: `run-${number}`, directory: '', state: 'failed', run: null, fault, createdAt };
}

/** As the store lists them. */
function newestFirst(runs: readonly StoredRun[]): StoredRun[] {
  const keyOf = ({ createdAt, id }: StoredRun) => `${createdAt} ${id}`;
  return [...runs].sort((a, b) => (keyOf(a) < keyOf(b) ? 1 : -1));
}

describe('the pages of runs', () => {
  test('show every run that stays, none twice, whatever comes and goes between two of them', () => {
    const moments = fc.array(fc.nat({ max: 3 }), { maxLength: 12 });
    const changes = fc.array(fc.record({ comes: fc.option(fc.nat({ max: 3 })), goes: fc.nat({ max: 30 }) }), {
      maxLength: 20,
    });
    fc.assert(
      fc.property(moments, changes, fc.integer({ min: 1, max: 5 }), (begun, later, limit) => {
        let count = 0;
        let runs = begun.map((moment) => storedRun(moment, count++));
        const staying = new Set(runs);
        const seen: StoredRun[] = [];
        let after: string | undefined;
        for (const change of [...later, ...Array.from({ length: 20 }, () => ({ comes: null, goes: 99 }))]) {
          const page = runsPage(newestFirst(runs), { limit, after });
          assert.ok(page.runs.length <= limit);
          seen.push(...page.runs);
          if (page.next === null) break;
          after = page.next;
          const gone = runs[change.goes];
          if (gone !== undefined) {
            staying.delete(gone);
            runs = runs.filter((run) => run !== gone);
          }
          if (change.comes !== null) runs.push(storedRun(change.comes, count++));
        }
        assert.equal(new Set(seen).size, seen.length, 'one came twice');
        assert.ok(
          [...staying].every((run) => seen.includes(run)),
          'one was left out',
        );
        assert.deepEqual(seen, newestFirst(seen));
      }),
      { numRuns: 500 },
    );
  });

  test('have a next one only where something is on it', () => {
    const runs = newestFirst([1, 2, 3, 4].map((moment) => storedRun(moment, moment)));
    assert.equal(runsPage(runs, { limit: 4 }).next, null);
    const { next } = runsPage(runs, { limit: 3 });
    assert.ok(next !== null);
    assert.deepEqual(runsPage(runs, { limit: 3, after: next }), { runs: runs.slice(3), next: null });
    assert.deepEqual(runsPage([], { limit: 3, after: next }), { runs: [], next: null });
  });

  test('go on from no cursor but their own', () => {
    for (const text of [
      '',
      'x',
      'a b',
      '2026-01-01T00:00:00.000Z',
      '2026-01-01 run-1',
      '2026-01-01T00:00:00.000Z a b',
    ]) {
      const after = Buffer.from(text).toString('base64url');
      assert.throws(() => runsPage([], { limit: 1, after }), { code: 'invalid-request' }, text);
    }
  });
});
