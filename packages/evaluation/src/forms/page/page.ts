import { htmlDocument, markup, sectionLinks, wholeNumber } from '@atelier/reports';
import type { EvaluationReport } from '../../report.ts';
import { comparisonSection } from './comparison.ts';
import { measurementSection } from './measurement.ts';
import { mistakesSection } from './mistakes.ts';
import { resultsSection } from './results.ts';
import { summary } from './summary.ts';
import { unreadableSection } from './unreadable.ts';

/** A name in a grid may be as long as a line of an archive; its whole is in the text, three lines of it are seen. */
const STYLES = `
.picture .name { display: -webkit-box; overflow: hidden; -webkit-box-orient: vertical; -webkit-line-clamp: 3; overflow-wrap: anywhere; font-size: 0.7rem; }
.pictures.wide { grid-template-columns: repeat(auto-fill, minmax(6.5rem, 1fr)); }
`;

/** The report as one HTML file that loads, runs and sends nothing. Loads vega, which takes most of a second, at the first. */
export async function reportPage(report: EvaluationReport): Promise<string> {
  const { model, mistakes, comparison, unreadable } = report;
  const sections: readonly (readonly [string, string])[] = [
    ['results', 'Results'],
    ...(comparison === null ? [] : [['comparison', `Against version ${comparison.against.version}`] as const]),
    ['mistakes', `Mistakes (${wholeNumber(mistakes.count)})`],
    ...(unreadable.count === 0 ? [] : [['unreadable', `Not read (${wholeNumber(unreadable.count)})`] as const]),
    ['measurement', 'Measurement'],
  ];
  return htmlDocument(
    `${model.name} version ${model.version}: evaluation on ${wholeNumber(report.examples)} images`,
    markup`${summary(report)}
${sectionLinks(sections)}
<main>
${await resultsSection(report)}
${comparison === null ? null : await comparisonSection(report.model, report, comparison)}
${mistakesSection(mistakes)}
${unreadable.count === 0 ? null : unreadableSection(unreadable)}
${measurementSection(report)}
</main>
<footer class="muted"><p>Written by Atelier.</p></footer>`,
    STYLES,
  );
}
