import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { standaloneSvg } from '@atelier/reports';
import { AllFigures, BENCHMARKS } from '../../../scripts/bench/bench.ts';
import { benchmarksPage } from '../../../scripts/bench/benchmarks-page.ts';
import { scalingPage } from '../../../scripts/bench/serving/scaling-page.ts';
import { Ablation } from '../../../scripts/src/ablation/ablation.ts';
import { ablationPage } from '../../../scripts/src/ablation/render-ablation.ts';
import { resultsPage } from '../../../scripts/src/comparison/render-results.ts';
import { Results } from '../../../scripts/src/comparison/results.ts';
import type { GeneratedPage } from '../../../scripts/src/measurements/written-page.ts';
import { PhotoResults } from '../../../scripts/src/photos/photo-results.ts';
import { PHOTO_RESULTS } from '../../../scripts/src/photos/read-photo-results.ts';
import { TRUST_RESULTS } from '../../../scripts/src/trust/read-trust-results.ts';
import { TrustResults } from '../../../scripts/src/trust/trust-results.ts';
import { ROOT } from '../../support/programs.ts';

/** Pages under docs/ that a command writes out of figures, and how. */
const PAGES: Record<string, (figures: unknown) => GeneratedPage> = {
  results: (figures) =>
    resultsPage(Results.parse(figures), {
      photos: partOf(PHOTO_RESULTS, PhotoResults),
      trust: partOf(TRUST_RESULTS, TrustResults),
    }),
  ablation: (figures) => ablationPage(Ablation.parse(figures), 'ablation'),
  benchmarks: (figures) => benchmarksPage(AllFigures.parse(figures), BENCHMARKS),
};

/** What of the results stands in a file of its own. */
function partOf<T>(name: string, schema: { parse: (figures: unknown) => T }): T | null {
  const file = join(ROOT, 'docs', name);
  return existsSync(file) ? schema.parse(JSON.parse(readFileSync(file, 'utf8'))) : null;
}

describe('pages that are generated', () => {
  test('docs/scaling.md is what docs/benchmarks.json gives', () => {
    const figures = AllFigures.parse(JSON.parse(readFileSync(join(ROOT, 'docs', 'benchmarks.json'), 'utf8')));
    const { serving, 'serving-overload': overload } = figures;
    assert.ok(serving && overload);
    const page = scalingPage({ serving, 'serving-overload': overload });
    assert.equal(readFileSync(join(ROOT, 'docs', 'scaling.md'), 'utf8'), page);
  });

  for (const [name, pageOf] of Object.entries(PAGES)) {
    test(`docs/${name}.md and its charts are what docs/${name}.json gives, and there is neither without the other`, async () => {
      const file = (ending: string) => join(ROOT, 'docs', `${name}${ending}`);
      assert.equal(existsSync(file('.md')), existsSync(file('.json')), 'the page or its figures are missing');
      if (!existsSync(file('.json'))) return;
      const { markdown, charts } = pageOf(JSON.parse(readFileSync(file('.json'), 'utf8')));
      assert.equal(readFileSync(file('.md'), 'utf8'), markdown);
      for (const chart of charts) {
        const svg = readFileSync(join(ROOT, 'docs', `${chart.name}.svg`), 'utf8');
        assert.equal(svg, await standaloneSvg(chart), chart.name);
      }
    });
  }
});
