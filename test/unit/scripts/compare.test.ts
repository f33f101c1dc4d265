import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { readTestLooks, RECIPES, recordTestLook } from '@atelier/trainer';
import { contendersOf, wantedRuns } from '../../../scripts/src/comparison/compare.ts';
import { CONTENDERS } from '../../../scripts/src/comparison/contenders.ts';
import { withLooks } from '../../../scripts/src/comparison/known-looks.ts';
import { resultsPage } from '../../../scripts/src/comparison/render-results.ts';
import { isTrial, Results } from '../../../scripts/src/comparison/results.ts';
import { KeptRuns } from '../../../scripts/src/recipe-runs/kept-runs.ts';
import { MACHINE, measuredRunOf } from '../../support/measured-runs.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const SELECTION = { seeds: [1, 2, 3], limit: null, epochsScale: 1 };

/** Results of one contender, a run for each test accuracy. */
function resultsOf(name: string, testAccuracies: number[], change: Partial<Results> = {}): Results {
  const contender = CONTENDERS.find((each) => each.name === name);
  assert.ok(contender);
  const runs = wantedRuns(contender, SELECTION).flatMap(({ row, recipe }, index) => {
    const test = testAccuracies[index];
    return test === undefined ? [] : measuredRunOf(row, recipe, { train: 0.95, validation: 0.92, test });
  });
  return Results.parse({
    writtenAt: '2026-01-31T12:00:00.000Z',
    machine: MACHINE,
    ...SELECTION,
    testLooks: { [contender.recipe]: 7 },
    runs,
    ...change,
  });
}

function rowOf(page: string, name: string): string {
  return page.split('\n').find((line) => line.startsWith(`| ${name} `)) ?? '';
}

describe('the comparison of the recipes', () => {
  test('every recipe has a row, and each row a name of its own', () => {
    assert.deepEqual(new Set(CONTENDERS.map(({ recipe }) => recipe)), new Set(RECIPES.keys()));
    assert.equal(new Set(CONTENDERS.map(({ name }) => name)).size, CONTENDERS.length);
    assert.equal(contendersOf(['ann-128-64']).length, 2);
    assert.throws(() => contendersOf(['ann-128', 'resnet']), { code: 'unknown-recipe' });
  });

  test('other seeds, fewer images or other epochs are a trial, which does not overwrite the page', () => {
    assert.ok(!isTrial(SELECTION));
    for (const change of [{ seeds: [1] }, { limit: 500 }, { epochsScale: 0.5 }]) {
      assert.ok(isTrial({ ...SELECTION, ...change }), JSON.stringify(change));
    }
  });

  test('only the longer ann-128-64 changes its recipe, and nothing but its epochs', () => {
    for (const contender of CONTENDERS) {
      const [wanted] = wantedRuns(contender, SELECTION);
      const made = RECIPES.get(contender.recipe) ?? assert.fail();
      const isLonger = contender.name === 'ann-128-64, more epochs';
      const { epochs, earlyStopping } = isLonger ? (wanted?.recipe ?? assert.fail()) : made;
      assert.deepEqual(wanted?.recipe, { ...made, epochs, earlyStopping, seed: 1 });
      assert.equal(epochs > made.epochs, isLonger, contender.name);
    }
  });

  test('a recipe is trained once with each seed, its epochs scaled to one at least', () => {
    const [contender] = contendersOf(['ann-128']);
    assert.ok(contender);
    const wanted = wantedRuns(contender, { seeds: [4, 5], limit: 500, epochsScale: 0.01 });
    assert.deepEqual(
      wanted.map(({ recipe, limit }) => [recipe.seed, recipe.epochs, limit]),
      [
        [4, 1, 500],
        [5, 1, 500],
      ],
    );
  });

  test('the page shows the median of the seeds with its range, and that the goal is reached', () => {
    const { markdown, charts } = resultsPage(resultsOf('ann-128', [0.886, 0.881, 0.8899]));
    assert.match(rowOf(markdown, 'ann-128'), /88\.60 % \(88\.10 to 88\.99\) \| yes/);
    assert.match(markdown, /Abacus 2000, 2 cores, 8 GiB, linux x64, Node 20\.19\.0, onnxruntime 1\.30\.0/);
    assert.match(markdown, /3 runs of 1 min 3 s in all/);
    assert.match(markdown, /\| ann-128 +\| 7 +\| 7 +\| 2\.00 +\| 21 +\| 1\.00 MB +\| 7 /);
    assert.doesNotMatch(markdown, /trial/);
    assert.equal(charts.length, 1);
  });

  test('a goal that is missed is named, and a recipe without a run is not passed off as one', () => {
    const { markdown } = resultsPage(resultsOf('deep-bn', [0.9, 0.91, 0.9]));
    assert.match(rowOf(markdown, 'deep-bn'), /\*\*no\*\*: test +\|$/);
    assert.match(rowOf(markdown, 'mlp-gelu'), /not run/);
  });

  test('a row that lacks seeds says which it has', () => {
    const { markdown } = resultsPage(resultsOf('deep-bn', [0.91]));
    assert.match(markdown, /^\| deep-bn, seed 1 only +\|/m);
    assert.doesNotMatch(resultsPage(resultsOf('deep-bn', [0.9, 0.91, 0.9])).markdown, /only/);
  });

  test('the model of atelier must keep to its size', () => {
    const results = resultsOf('atelier', [0.93, 0.93, 0.93]);
    const large = { ...results, runs: results.runs.map((run) => ({ ...run, modelBytes: 8_000_001 })) };
    assert.match(rowOf(resultsPage(results).markdown, 'atelier'), /yes/);
    assert.match(rowOf(resultsPage(large).markdown, 'atelier'), /\*\*no\*\*: size/);
  });

  test('a trial says that it is one', () => {
    const { markdown } = resultsPage(resultsOf('ann-128', [0.5], { limit: 500, epochsScale: 0.1 }));
    assert.match(markdown, /\*\*A trial that says nothing of the recipes:\*\* 500 training images, epochs times 0\.1/);
  });

  test('without any run there is a page and no chart', () => {
    const { markdown, charts } = resultsPage(resultsOf('ann-128', []));
    assert.equal(charts.length, 0);
    assert.match(rowOf(markdown, 'ann-128'), /not run/);
  });
});

describe('finished runs of a comparison', () => {
  test('are found again by row, recipe, seed and number of images, in another process too', async () => {
    const folder = await temporaryFolder();
    const { path } = folder;
    try {
      const [contender] = contendersOf(['ann-128']);
      assert.ok(contender);
      const [first, second] = wantedRuns(contender, SELECTION);
      assert.ok(first && second);
      const file = join(path, 'deep', 'runs.json');
      const keptRun = (test: number, limit: number | null = null) => ({
        ...measuredRunOf(first.row, first.recipe, { train: 0.9, validation: 0.9, test }),
        limit,
      });
      await (await KeptRuns.open(file)).keep(keptRun(0.9));
      const kept = await KeptRuns.open(file);
      assert.equal(kept.find(first)?.accuracy.test, 0.9);
      assert.equal(kept.find(second), undefined);
      assert.equal(kept.find({ ...first, limit: 500 }), undefined);
      assert.equal(kept.find({ ...first, recipe: { ...first.recipe, batchSize: 33 } }), undefined);
      await kept.keep(keptRun(0.8));
      await kept.keep(keptRun(0.1, 500)); // a trial takes nothing away
      assert.equal((await KeptRuns.open(file)).find(first)?.accuracy.test, 0.8);
    } finally {
      await folder.remove();
    }
  });

  test('those of the page that is there are taken where nothing newer is kept', async () => {
    const folder = await temporaryFolder();
    try {
      const [contender] = contendersOf(['ann-128']);
      assert.ok(contender);
      const [first, second] = wantedRuns(contender, SELECTION);
      assert.ok(first && second);
      const ran = ({ row, recipe }: typeof first, test: number) =>
        measuredRunOf(row, recipe, { train: 0.9, validation: 0.9, test });
      const file = join(folder.path, 'runs.json');
      await (await KeptRuns.open(file)).keep(ran(first, 0.9));
      const kept = await KeptRuns.open(file, [ran(first, 0.1), ran(second, 0.2)]);
      assert.deepEqual([kept.find(first)?.accuracy.test, kept.find(second)?.accuracy.test], [0.9, 0.2]);
    } finally {
      await folder.remove();
    }
  });

  test('a file that is damaged is named, not overwritten', async () => {
    const folder = await temporaryFolder();
    const { path } = folder;
    try {
      const file = join(path, 'runs.json');
      await writeFile(file, '[{"row": 1}]');
      await assert.rejects(KeptRuns.open(file), /runs\.json holds no finished runs; remove it/);
    } finally {
      await folder.remove();
    }
  });
});

describe('looks at the test number', () => {
  test('are recorded in the runs folder and counted once each, wherever they come from', async () => {
    const folder = await temporaryFolder();
    const { path } = folder;
    try {
      assert.deepEqual(await readTestLooks(path), []);
      await recordTestLook(path, { run: 'b', recipe: 'ann-128' });
      await recordTestLook(path, { run: 'a', recipe: 'atelier' });
      const looks = await readTestLooks(path);
      const known = withLooks({ 'ann-128': ['a', 'b'] }, looks);
      assert.deepEqual(known, { 'ann-128': ['a', 'b'], atelier: ['a'] });
    } finally {
      await folder.remove();
    }
  });
});
