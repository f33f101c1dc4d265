import { chartFigure, type Markup, markup, perClassTable, pictureGrid, wholeNumber } from '@atelier/reports';
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
