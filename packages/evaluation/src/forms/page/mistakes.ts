import { type Markup, markup, percent, wholeNumber } from '@atelier/reports';
import type { EvaluationReport, Mistake } from '../../report.ts';
import { namedPictures } from './pictures.ts';

export function mistakesSection({ count, shown }: EvaluationReport['mistakes']): Markup {
  const which =
    shown.length === count
      ? 'What the model took each for, with its probability, and what the label says.'
      : `The ${shown.length} most confident of ${wholeNumber(count)}: what the model took each for, with its probability, and what the label says.`;
  return markup`<section id="mistakes">
<h2>The most confident mistakes</h2>
${
  count === 0
    ? markup`<p>There are none.</p>`
    : markup`<p class="muted">${which} The picture is what the model saw.</p>
${namedPictures(shown.map(pictureOf))}`
}
</section>`;
}

function pictureOf({ name, actual, predicted, confidence, preview }: Mistake) {
  const taken = `${predicted} ${percent(confidence, 1)}`;
  return {
    preview,
    name,
    description: `${actual}, taken for ${taken}`,
    caption: [markup`<strong>${taken}</strong>`, `is ${actual}`],
  };
}
