import { machineInWords } from '../measurements/machine.ts';
import { markdownTable } from '../measurements/markdown-table.ts';
import { type Spread, spreadInWords } from '../measurements/statistics.ts';
import type { GeneratedPage } from '../measurements/written-page.ts';
import { duration } from '../output.ts';
import { type Ablation, type VariantOutcome, variantOutcomes } from './ablation.ts';
import { ablationCharts } from './charts.ts';
import { addedParts } from './variants.ts';

/** The page of an ablation with its charts, which are named after it; the same for the same figures. */
export function ablationPage(ablation: Ablation, name: string): GeneratedPage {
  const { writtenAt, machine, recipe, epochs, seeds, limit, runs } = ablation;
  const charts = ablationCharts(ablation, name);
  const seconds = runs.reduce((sum, run) => sum + run.seconds, 0);
  const markdown = [
    `# \`${recipe.name}\` with and without dropout, batch norm and weight decay`,
    '',
    `Written by \`npm run ablate -- --recipe ${recipe.name}\` out of the JSON file beside this page; not by hand.`,
    '',
    ...(limit === null ? [] : [`**A trial that says nothing of the recipe:** ${limit} training images.`, '']),
    `Every network trains ${epochs} ${epochs === 1 ? 'epoch' : 'epochs'} without early stopping and is measured as it is then, so that overfitting shows.`,
    "All else is the recipe's. No figure here is of the test images.",
    ...addedParts(recipe),
    '',
    `- Machine: ${machineInWords(machine)}`,
    `- Written: ${writtenAt.slice(0, 10)}; ${runs.length} runs of ${duration(seconds)} in all`,
    `- Seeds: ${seeds.join(', ')}. A figure is the median of the seeds; what follows in brackets is from the lowest to the highest`,
    '',
    '## After the last epoch',
    '',
    markdownTable(
      ['with', 'train', 'validation', 'train less validation', 'least validation loss', 'last validation loss'],
      variantOutcomes(ablation).map(row),
    ),
    '',
    'A last validation loss above the least one means that the network went on to learn what is true of its training images alone.',
    '',
    ...charts.flatMap((chart) => [`## ${chart.title}`, '', `![${chart.title}](${chart.name}.svg)`, '']),
  ].join('\n');
  return { figures: ablation, charts, markdown };
}

function row({ variant, train, validation, gap, leastLoss, lastLoss }: VariantOutcome): string[] {
  const share = (value: Spread, unit: string) => spreadInWords(value, (each) => (each * 100).toFixed(2), unit);
  const loss = (value: Spread) => spreadInWords(value, (each) => each.toFixed(3));
  return [
    variant.name,
    share(train, '%'),
    share(validation, '%'),
    share(gap, 'points'),
    loss(leastLoss),
    loss(lastLoss),
  ];
}
