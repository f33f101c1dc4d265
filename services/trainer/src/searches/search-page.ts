import {
  chartFigure,
  type Content,
  drawn,
  duration,
  facts,
  htmlDocument,
  instant,
  keyFigures,
  type Markup,
  markup,
  percent,
  table,
  wholeNumber,
} from '@atelier/reports';
import { ladder } from './halving.ts';
import { bestRecipe, type SearchResults } from './results.ts';
import type { Search } from './search.ts';
import { searchChart } from './search-chart.ts';
import { searchColumns } from './search-table.ts';
import { dimensionText, valueText } from './values-in-words.ts';

/** Its lines want more room than the charts of a run. */
const WIDE_CHART = '.chart svg { max-width: 48rem; }';

/** A search as one HTML file that loads nothing: its table, its chart, its space and its best recipe. */
export async function searchPage(search: Search, results: SearchResults): Promise<string> {
  return htmlDocument(
    `${search.request.recipe.name}: search ${search.id}`,
    markup`${summary(search, results)}
<main>
${await trials(search, results)}
${space(search)}
${results.best === null ? null : best(search, results)}
</main>
<footer class="muted"><p>Written by Atelier.</p></footer>`,
    WIDE_CHART,
  );
}

function summary({ id, state, request: { recipe, trials }, error }: Search, results: SearchResults): Markup {
  const { best, epochs, fullEpochs, seconds } = results;
  const entries: readonly (readonly [string, string, Content])[] = [
    ...(best?.best == null
      ? []
      : ([
          ['Validation accuracy', percent(best.best.accuracy), `trial ${best.number}, epoch ${best.best.epoch}`],
        ] as const)),
    ['Trials', String(trials), `${results.trials.filter((each) => each.state === 'finished').length} to the end`],
    [
      'Epochs',
      wholeNumber(epochs),
      `${percent(epochs / fullEpochs, 0)} of ${wholeNumber(fullEpochs)} without stopping any`,
    ],
    ['Training time', duration(seconds), 'all trials together'],
  ];
  return markup`<header>
<p class="kicker">Search</p>
<h1>${recipe.name}</h1>
<p>${recipe.description}</p>
<p class="muted"><span class="state ${state}">${state}</span> <code>${id}</code></p>
${error === null ? null : markup`<p class="error" role="note"><strong>${error.code}</strong> ${error.message}</p>`}
${keyFigures(entries)}
</header>`;
}

async function trials(search: Search, results: SearchResults): Promise<Markup> {
  const chart = await drawn(searchChart(search, results));
  return markup`<section id="trials">
<h2>Trials</h2>
${chartFigure(chart, 'A line for each trial: orange is better, blue is worse; thin ones were not trained to the end. The last axis goes by the logarithm of the mistakes.')}
${table('By place', searchColumns(search), results.trials)}
<p class="muted">Validation accuracy is the best of an epoch so far. Trials that were trained to their end come first.</p>
</section>`;
}

function space(search: Search): Markup {
  const { request, createdAt, endedAt } = search;
  return markup`<section id="space">
<h2>Space</h2>
${table(
  'What each field may be',
  [
    { title: 'Field', cell: ([pointer]) => pointer, kind: 'text' },
    { title: 'Values', cell: ([, dimension]) => dimensionText(dimension), kind: 'text' },
  ],
  Object.entries(request.space),
)}
<h3>Search</h3>
${facts([
  ['Drawn with seed', request.seed],
  ['Seed of every trial', request.recipe.seed],
  ['Halving', halvingText(search)],
  ['At once', `${request.parallel} trials`],
  ['Images', request.limit === null ? null : wholeNumber(request.limit)],
  ['Created', instant(createdAt)],
  ['Ended', endedAt === null ? null : instant(endedAt)],
])}
</section>`;
}

function halvingText({ request: { recipe, halving } }: Search): string {
  const early = ladder(recipe.epochs, halving).rungs.slice(0, -1);
  if (halving === null || early.length === 0) return 'none: every trial was to be trained to its end';
  return `one of ${halving.reduction} goes on after epoch ${early.join(', and after epoch ')}; the end is ${recipe.epochs}`;
}

function best(search: Search, results: SearchResults): Markup {
  const values = Object.entries(results.best?.values ?? {});
  return markup`<section id="best">
<h2>Best recipe</h2>
${table(
  'What it changes',
  [
    { title: 'Field', cell: ([pointer]) => pointer, kind: 'text' },
    { title: 'Value', cell: ([, value]) => valueText(value), kind: 'text' },
  ],
  values,
)}
<p>It lies beside this page as <code>best-recipe.json</code>. Train it whole, and look at the test images once:</p>
<pre>npm run train -- --recipe best-recipe.json</pre>
<p class="muted">Its validation accuracy was the best of ${search.request.trials}, so it flatters; the test images were not looked at.</p>
<details><summary>As JSON</summary><pre>${JSON.stringify(bestRecipe(search, results), null, 2)}</pre></details>
</section>`;
}
