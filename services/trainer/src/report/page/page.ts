import { htmlDocument, markup, sectionLinks } from '@atelier/reports';
import type { ReportContents } from '../contents.ts';
import { runFacts } from './facts.ts';
import { inside } from './inside.ts';
import { learning } from './learning.ts';
import { recipeSection } from './recipe.ts';
import { results } from './results.ts';
import { summary } from './summary.ts';

/** The report as one HTML file. */
export function reportPage(contents: ReportContents): string {
  const { record, model } = contents;
  const sections: readonly (readonly [string, string])[] = [
    ['learning', 'Learning'],
    ...(model === null
      ? []
      : ([
          ['results', 'Test results'],
          ['mistakes', 'Mistakes'],
          ['inside', 'Inside'],
        ] as const)),
    ['recipe', 'Recipe'],
    ['samples', 'Samples'],
    ['run', 'Run'],
  ];
  return htmlDocument(
    `${record.run.recipe.name}: training run ${record.run.id}`,
    markup`${summary(contents)}
${sectionLinks(sections)}
<main>
${learning(contents)}
${model === null ? null : [results(model), inside(model)]}
${recipeSection(contents)}
${runFacts(contents)}
</main>
<footer class="muted"><p>Written by Atelier. The charts and pictures lie beside this file as PNG, in <code>report/</code>.</p></footer>`,
  );
}
