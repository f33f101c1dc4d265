import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parseRecipe } from '@atelier/domain';
import { chartSvg } from '@atelier/reports';
import {
  bestRecipe,
  newSearch,
  parallelCoordinatesChart,
  type Search,
  searchChart,
  searchFolder,
  searchPage,
  SearchRequest,
  searchResults,
  type SearchSpace,
  searchTable,
  type TrialLook,
  writeSearchResults,
} from '@atelier/trainer';
import { smallLayer, smallRecipe } from '../../../support/small-recipe.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const space: SearchSpace = {
  '/optimizer/learningRate': { kind: 'log-uniform', minimum: 0.0001, maximum: 0.01 },
  '/hiddenLayers/*/dropout': { kind: 'uniform', minimum: 0, maximum: 0.5 },
  '/hiddenLayers/0/units': { kind: 'integer', minimum: 8, maximum: 64 },
  '/hiddenLayers/1/units': { kind: 'integer', minimum: 8, maximum: 32 },
  '/schedule': { kind: 'choice', values: [{ kind: 'constant' }, { kind: 'cosine' }] },
};

function searchOf(trials: number, change: Parameters<typeof smallRecipe>[0] = {}): Search {
  const recipe = smallRecipe({ hiddenLayers: [smallLayer(), smallLayer()], description: '<b>Mine</b>', ...change });
  const search = newSearch(SearchRequest.parse({ recipe, space, trials }), recipe, 1);
  return { ...search, trials: search.trials.map((trial) => ({ ...trial, run: `run-${trial.number}` })) };
}

function look(standing: TrialLook['standing'], ...accuracies: number[]): TrialLook {
  const validation = accuracies.map((accuracy, index) => ({ epoch: index + 1, accuracy, loss: 1 - accuracy }));
  return { standing, untilEpoch: accuracies.length, validation, seconds: accuracies.length * 2 };
}

const search = searchOf(6);
const looks = new Map([
  [1, look('cancelled', 0.95)],
  [2, look('finished', 0.7, 0.88, 0.86)],
  [3, look('failed', 0.99, 0.99)],
  [4, look('finished', 0.7, 0.8, 0.9)],
  [5, look('paused', 0.6, 0.65)],
  [6, null],
]);
const results = searchResults(search, looks);

describe('the results of a search', () => {
  test('rank trials that came to their end first, then by how far they came, failed ones last', () => {
    assert.deepEqual(
      results.trials.map(({ place, number, state, epochs, best }) => [
        place,
        number,
        state,
        epochs,
        best?.epoch ?? null,
      ]),
      [
        [1, 4, 'finished', 3, 3],
        [2, 2, 'finished', 3, 2],
        [3, 5, 'paused', 2, 2],
        [4, 1, 'stopped', 1, 1],
        [5, 3, 'failed', 2, 1],
        [6, 6, 'deleted', 0, null],
      ],
    );
    assert.equal(results.best?.number, 4);
    assert.deepEqual([results.epochs, results.fullEpochs, results.seconds], [11, 18, 22]);
  });

  test('have the best so far where none came to its end, and none where all failed', () => {
    const early = searchResults(
      search,
      new Map([
        [1, look('paused', 0.5)],
        [2, look('outstanding', 0.6)],
      ]),
    );
    assert.equal(early.best?.number, 2);
    const failed = searchResults(search, new Map([[1, look('failed', 0.5)]]));
    assert.equal(failed.best, null);
    assert.throws(() => bestRecipe(search, failed), { code: 'search-unfinished' });
  });

  test('give the best recipe under a name of its own, with where it is from', () => {
    const recipe = bestRecipe(search, results);
    const values = search.trials[3]?.values ?? {};
    assert.deepEqual(parseRecipe(JSON.parse(JSON.stringify(recipe))), recipe);
    assert.equal(recipe.name, 'small-search');
    assert.match(recipe.description, new RegExp(`^Trial 4 of 6 of the search ${search.id} from small: .* 90\\.00`));
    assert.equal(recipe.optimizer.learningRate, values['/optimizer/learningRate']);
    assert.deepEqual([recipe.seed, recipe.epochs], [7, 3]);
  });

  test('keep a long name within what a recipe may be called, and do not say search twice', () => {
    const nameFrom = (name: string) => bestRecipe(searchOf(6, { name }), results).name;
    assert.equal(nameFrom(`${'a'.repeat(56)}-bcdefgh`), `${'a'.repeat(56)}-search`);
    assert.equal(nameFrom('b'.repeat(64)).length, 64);
    assert.equal(nameFrom('small-search'), 'small-search');
  });

  test('are a table for a terminal, columns in line, the names as short as they can be', () => {
    const [head = '', ...lines] = searchTable(search, results).split('\n');
    assert.deepEqual(
      head.split(/ {2,}/),
      ['Place', 'Trial', 'learningRate', 'dropout', '0/units', '1/units', 'schedule', 'Validation', 'At epoch'].concat([
        'Epochs',
        'Training',
        'State',
        'Run',
      ]),
    );
    assert.equal(lines.length, 6);
    for (const line of lines) assert.equal(line.search(/run-\d/), head.indexOf('Run'));
    assert.match(lines[0] ?? '', /^ +1 +4 .* 90\.00.% +3 +3 +6\.0.s +finished +run-4$/);
  });
});

describe('the chart of a search', () => {
  const chart = searchChart(search, results);

  test('names every dimension and the ends of its axis, and has a line for each trial', async () => {
    const svg = await chartSvg(chart);
    const ends = [
      '0.0001',
      '0.001',
      '0.01',
      '0',
      '0.25',
      '0.5',
      '8',
      '64',
      '32',
      'constant',
      'cosine',
      '65.00',
      '95.00',
    ];
    for (const text of [...Object.keys(space), 'Validation accuracy', ...ends]) {
      assert.match(svg, new RegExp(`>${text.replaceAll(/[*/.]/g, '\\$&')}(.%)?</text>`), text);
    }
    const widths = [...svg.matchAll(/mark-line[^]*?stroke-width="([\d.]+)"/g)].map(([, width]) => width);
    assert.deepEqual(widths, ['1.2', '1.2', '1.2', '1.2', '2.5', '2.5']);
    assert.match(chart.description, /^6 trials, 2 of them trained to the end\. The best is trial 4 with 90\.00/);
  });

  test('is drawn with no result at all, with one, and where all are equal', async () => {
    const values = search.trials[0]?.values ?? {};
    for (const accuracies of [[], [null], [0.5], [0.5, 0.5], [1, 1]]) {
      const lines = accuracies.map((accuracy, index) => ({ number: index + 1, values, accuracy, isWhole: true }));
      const svg = await chartSvg(parallelCoordinatesChart(space, lines));
      assert.doesNotMatch(svg, /NaN|Infinity|undefined/);
    }
  });
});

describe('the page of a search', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  before(async () => {
    folder = await temporaryFolder();
  });
  after(() => folder.remove());

  test('is one file that loads and runs nothing, with all trials and the best recipe', async () => {
    const page = await searchPage(search, results);
    assert.match(page, /^<!doctype html>/);
    assert.doesNotMatch(page, /<script|<link|\b(src|href)="(?!#|data:)|url\(|<b>Mine/);
    assert.match(page, /&lt;b&gt;Mine/);
    for (const number of [1, 2, 3, 4, 5, 6]) assert.ok(page.includes(`run-${number}</td>`), `run-${number}`);
    assert.ok(page.includes('&quot;name&quot;: &quot;small-search&quot;'));
    assert.ok(page.includes('</svg>'));
  });

  test('lies in the folder of the search beside the best recipe, and alone where there is none', async () => {
    const filesOf = (each: Search) => readdir(searchFolder(folder.path, each.id));
    await writeSearchResults(folder.path, search, looks);
    assert.deepEqual((await filesOf(search)).sort(), ['best-recipe.json', 'search.html']);
    const path = join(searchFolder(folder.path, search.id), 'best-recipe.json');
    assert.deepEqual(parseRecipe(JSON.parse(await readFile(path, 'utf8'))), bestRecipe(search, results));
    const unlucky = searchOf(2);
    await writeSearchResults(folder.path, unlucky, new Map());
    assert.deepEqual(await filesOf(unlucky), ['search.html']);
  });
});
