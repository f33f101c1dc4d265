import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { EvaluationReport } from '@atelier/evaluation';
import { PhotoResults } from '../../../scripts/src/photos/photo-results.ts';
import { PHOTO_RESULTS } from '../../../scripts/src/photos/read-photo-results.ts';
import { ROOT } from '../../support/programs.ts';

describe('the report of an evaluation in the README', () => {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const [, section = ''] = readme.split('## How good is it on your pictures?');
  const report = JSON.parse(/```json\n(.*?)```/s.exec(section)?.[1] ?? '') as Record<string, never>;

  test('has the fields of a report, and no others', () => {
    assert.deepEqual(Object.keys(report).sort(), Object.keys(EvaluationReport.shape).sort());
    const { abstentions, input, mistakes, unreadable } = EvaluationReport.shape;
    assert.ok(abstentions.safeParse(report['abstentions']).success, 'abstentions');
    for (const [name, shape] of Object.entries({ input, mistakes, unreadable }))
      assert.deepEqual(Object.keys(report[name] ?? {}).sort(), Object.keys(shape.shape).sort(), name);
  });

  test('is of the version and the accuracy that the drawn photos were measured with last', () => {
    const { model, groups } = PhotoResults.parse(JSON.parse(readFileSync(join(ROOT, 'docs', PHOTO_RESULTS), 'utf8')));
    const all = groups.find(({ name }) => name === 'all');
    const { version, digest } = report['model'] as unknown as { version: number; digest: string };
    assert.deepEqual([version, digest], [model.version, `${model.digest.slice(0, 'sha256:'.length + 8)}...`]);
    assert.equal(report['examples'], all?.pictures);
    assert.equal(report['accuracy'], Number(((all?.correct['service'] ?? 0) / (all?.pictures ?? 0)).toFixed(4)));
  });
});
