import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { EvaluationTally, reportPage } from '@atelier/evaluation';
import { CONTENT_POLICY } from '@atelier/reports';
import { answeredBatch, EVALUATION_FACTS } from '../../support/answered-batches.ts';
import { HOSTILE_NAMES, reportOfNames } from '../../support/evaluation-reports.ts';

describe('a report as a page', async () => {
  const report = reportOfNames(HOSTILE_NAMES);
  const page = await reportPage(report);

  test('loads and runs nothing: no script, no handler, no address but pictures in itself', () => {
    const [, policy] = /<meta http-equiv="Content-Security-Policy" content="([^"]+)">/.exec(page) ?? [];
    assert.equal(policy?.replaceAll('&#39;', "'"), CONTENT_POLICY);
    assert.doesNotMatch(page, /<(script|iframe|object|embed|link|base|form)\b/i);
    for (const [tag] of page.matchAll(/<[a-z][^>]*>/gi)) {
      assert.doesNotMatch(tag.replaceAll(/"[^"]*"/g, '""'), /\son[a-z]+\s*=/i);
    }
    for (const [, address] of page.matchAll(/\s(?:src|href)="([^"]*)"/g)) {
      assert.match(address ?? '', /^(#|data:image\/png;base64,)/);
    }
  });

  test('has the names of strangers as text, with what hides or turns round shown, each apart from its surroundings', () => {
    assert.match(
      page,
      /<bdi class="name muted" title="&lt;script&gt;[^"]*">&lt;script&gt;alert\(1\)&lt;\/script&gt;\.png<\/bdi>/,
    );
    assert.match(page, />photo\\u\{202e\}gpj\.exe<\/bdi>/);
    assert.match(page, />صورة حذاء\.png<\/bdi>/);
    assert.ok(!page.includes('\u0000') && !page.includes('\u202e'));
    assert.match(page, />folder\/(very-long-)+[a-z-]*…[a-z-]*(very-long-)+\.png<\/bdi>/);
  });

  test('has every section once, and every link within it leads somewhere', () => {
    const ids = [...page.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id);
    assert.equal(new Set(ids).size, ids.length, ids.join(' '));
    const links = [...page.matchAll(/href="#([^"]+)"/g)].map(([, id]) => id);
    assert.deepEqual(links, ['results', 'comparison', 'mistakes', 'unreadable', 'measurement']);
    for (const id of links) assert.ok(ids.includes(id), id);
  });

  test('says each chart in words and has its numbers as a table', () => {
    for (const title of ['Confusion matrix', 'Calibration', 'Classes', 'Recall of each class']) {
      assert.match(page, new RegExp(`<h3>${title}</h3>\\s*<div role="img" aria-label="${title}\\. [^"]{20,}"><svg`));
    }
    for (const caption of ['Per class', 'Images by true class', 'Confidence and accuracy', 'Side by side']) {
      assert.match(page, new RegExp(`<caption>${caption}`));
    }
    for (const [picture] of page.matchAll(/<img [^>]*>/g)) assert.match(picture, /alt="[^"]{5,}"/);
  });

  test("counts what was ignored as nobody's pictures", () => {
    assert.match(page, /<dt>Ignored<\/dt><dd>3 that are nobody/);
  });

  test('says which version is the better one, by how much and how sure that is', () => {
    assert.match(
      page,
      /Version 2 is less often right than version 1: -20\.00\u00a0points \(95 % interval -\d+\.\d\d to -\d+\.\d\d\u00a0points, p/,
    );
    assert.match(
      page,
      /McNemar&#39;s test<\/dt><dd>p &lt; 0\.0001 \(two-sided, exact\)|McNemar&#39;s test<\/dt><dd>p = 0\.0000/,
    );
  });
});

test('a page of one version without a mistake says so, and has no section for what there is not', async () => {
  const tally = new EvaluationTally();
  tally.add(answeredBatch([{ name: 'a', label: 3, predicted: 3, confidence: 0.95 }]));
  const page = await reportPage(tally.report(EVALUATION_FACTS));
  assert.match(page, /On 1 labelled image from a ZIP archive/);
  assert.match(page, /There is no mistake/);
  assert.match(page, /<p>There are none\.<\/p>/);
  assert.doesNotMatch(page, /id="(comparison|unreadable)"|Abstained/);
});
