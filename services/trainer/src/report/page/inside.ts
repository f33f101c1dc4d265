import { type Markup, markup, percent, pictureRows, pictureWall, table, wholeNumber } from '@atelier/reports';
import type { ModelContents } from '../contents.ts';

/** What the network has learned to look at, and what it computes on the way. */
export function inside({ manifest, findings, firstLayer, activations }: ModelContents): Markup {
  const { units, shown } = findings.firstLayer;
  const { layers, countedImages } = findings.activations;
  const which =
    shown.length === units
      ? `Its ${units} units`
      : `The ${shown.length} of its ${units} units with the largest weights`;
  return markup`<section id="inside">
<h2>Inside the network</h2>
<h3 id="first-layer">Weights of the first layer</h3>
<p class="muted">${which}, the largest first: blue pixels raise a unit, orange ones lower it, each unit on its own scale.</p>
${pictureWall(firstLayer, `${which} as images of 28 by 28 weights`)}
<h3 id="activations">Activations of the hidden layers</h3>
<p class="muted">What each hidden layer gives for an image, a pixel for each unit: blue is positive, white is 0, orange is negative. A layer has one scale for all images.</p>
${pictureRows(activations)}
${table(
  `Activity on the first ${wholeNumber(countedImages)} test images`,
  [
    { title: 'Layer', cell: ({ layer }) => layer, kind: 'text' },
    { title: 'Units', cell: (row) => wholeNumber(row.units) },
    { title: 'Activation', cell: ({ activation }) => activation, kind: 'text' },
    { title: 'Values that are 0', cell: ({ zeroShare }) => percent(zeroShare, 1) },
    { title: 'Units always 0', cell: ({ silentUnits }) => wholeNumber(silentUnits) },
  ],
  layers.map((activity, index) => ({
    ...activity,
    layer: `Hidden ${index + 1}`,
    activation: manifest.recipe.hiddenLayers[index]?.activation ?? '',
  })),
)}
</section>`;
}
