import { readFileSync } from 'node:fs';
import { COLOURS, darkRules } from '../charts/theme.ts';
import type { ReportContents } from '../contents.ts';
import { inside } from './inside.ts';
import { learning } from './learning.ts';
import { Markup, markup } from './markup.ts';
import { recipeSection } from './recipe.ts';
import { results } from './results.ts';
import { runFacts } from './facts.ts';
import { summary } from './summary.ts';

/** Nothing may be loaded, run or sent: the page is whole in itself. */
export const CONTENT_POLICY =
  "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

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
  return `<!doctype html>\n${
    markup`<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${CONTENT_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${record.run.recipe.name}: training run ${record.run.id}</title>
<style>${Markup.trusted(styleSheet())}</style>
</head>
<body>
${summary(contents)}
<nav aria-label="Sections"><ul>${sections.map(([id, title]) => markup`<li><a href="#${id}">${title}</a></li>`)}</ul></nav>
<main>
${learning(contents)}
${model === null ? null : [results(model), inside(model)]}
${recipeSection(contents)}
${runFacts(contents)}
</main>
<footer class="muted"><p>Written by Atelier. The charts and pictures lie beside this file as PNG, in <code>report/</code>.</p></footer>
</body>
</html>`.text
  }\n`;
}

/** The page's colours are those of the charts; what is dark on a screen is light in print. */
export function styleSheet(): string {
  const layout = readFileSync(new URL('./report.css', import.meta.url), 'utf8');
  const variables = (scheme: 'light' | 'dark') =>
    `:root { ${Object.entries(COLOURS)
      .map(([name, colour]) => `--${name}: ${colour[scheme]};`)
      .join(' ')} }`;
  return `${variables('light')}\n${layout}\n@media screen and (prefers-color-scheme: dark) {\n${variables('dark')}\n${darkRules()}\n}`;
}
