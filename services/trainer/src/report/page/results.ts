import {
  chartFigure,
  facts,
  type Markup,
  markup,
  percent,
  perClassTable,
  pictureGrid,
  wholeNumber,
} from '@atelier/reports';
import type { ModelContents } from '../contents.ts';

/** How good the exported model is on the test images. */
export function results({ manifest, confusionMatrix, calibration, correct, mistakes }: ModelContents): Markup {
  const { test } = manifest.metrics;
  return markup`<section id="results">
<h2>On the ${wholeNumber(test.count)} test images</h2>
<p class="muted">The model never saw them, and nothing in this run was chosen by them.</p>
<div class="charts">
${chartFigure(confusionMatrix, 'Images by class. Blue is right, orange is wrong; the stronger, the more often.')}
${chartFigure(calibration, 'Bars below the diagonal: more confident than right. Points stand at the mean confidence of their bin, with a 95 % interval.')}
</div>
${perClassTable(test)}
${beliefs(manifest)}
<h3 id="correct">Recognised</h3>
<p class="muted">The first two of each class that are right, with the probability of the class.</p>
${pictureGrid(correct)}
<h3 id="mistakes">The most confident mistakes</h3>
${
  mistakes.tiles.length === 0
    ? markup`<p>There are none.</p>`
    : markup`<p class="muted">What the model took each for, with its probability, and what the label says.</p>${pictureGrid(mistakes)}`
}
</section>`;
}

/** What was fitted on the validation images, so that answers say when they are not to be believed. */
function beliefs({ temperature, trust }: ModelContents['manifest']): Markup {
  return markup`<h3 id="trust">When not to believe it</h3>
${facts([
  ['Temperature', `${temperature}, which the logits are divided by before their softmax`],
  [
    'Low confidence',
    trust
      ? `Below ${percent(trust.confidence.threshold)}, as are ${othersOf(trust.confidence)} of the validation images`
      : null,
  ],
  [
    'Outliers',
    trust
      ? `A score above ${trust.outliers.threshold.toFixed(3)}, as have ${othersOf(trust.outliers)} of the validation images`
      : null,
  ],
])}`;
}

function othersOf({ passRate }: { passRate: number }): string {
  return percent(1 - passRate);
}
