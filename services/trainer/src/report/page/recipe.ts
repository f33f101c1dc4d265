import { decimal, facts, type Markup, markup, percent, pictureGrid, table } from '@atelier/reports';
import type { ReportContents } from '../contents.ts';

const TOLD_ELSEWHERE = new Set(['name', 'description', 'hiddenLayers']);

/** What the run was asked to do, and what its network was given. */
export function recipeSection({ record: { run }, samples }: ReportContents): Markup {
  const settings = Object.entries(run.recipe).filter(([field]) => !TOLD_ELSEWHERE.has(field));
  return markup`<section id="recipe">
<h2>Recipe</h2>
${table(
  'Hidden layers',
  [
    { title: 'Layer', cell: ({ index }) => `Hidden ${index}`, kind: 'text' },
    { title: 'Units', cell: ({ units }) => units },
    { title: 'Activation', cell: ({ activation }) => activation, kind: 'text' },
    { title: 'Batch normalisation', cell: ({ batchNormalization }) => words(batchNormalization), kind: 'text' },
    { title: 'Dropout', cell: ({ dropout }) => percent(dropout, 0) },
  ],
  run.recipe.hiddenLayers.map((layer, index) => ({ ...layer, index: index + 1 })),
)}
${facts(settings.map(([field, value]) => [sentence(field), valueText(value)] as const))}
<details><summary>As JSON</summary><pre>${JSON.stringify(run.recipe, null, 2)}</pre></details>
<h3 id="samples">Samples before training</h3>
<p class="muted">Images of the training split as the network is given them, after the recipe's augmentation.</p>
${pictureGrid(samples)}
</section>`;
}

/** A field of the recipe in words, whatever it holds: the schema grows. */
function valueText(value: unknown): string {
  if (value === null) return 'none';
  if (typeof value === 'number') return decimal(value);
  if (Array.isArray(value)) return value.map(valueText).join(' to ');
  if (typeof value !== 'object') return words(`${value as string | boolean}`);
  return Object.entries(value)
    .map(([field, inner]) => (field === 'kind' ? valueText(inner) : `${words(field)} ${nested(inner)}`))
    .join(', ');
}

function nested(value: unknown): string {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
    ? `(${valueText(value)})`
    : valueText(value);
}

/** `minimumImprovement` as minimum improvement, `he-normal` as it is. */
function words(name: string): string {
  return name.replaceAll(/(?<=[a-z0-9])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function sentence(name: string): string {
  const text = words(name);
  return text.charAt(0).toUpperCase() + text.slice(1);
}
