import { findRecipe } from '@atelier/trainer';
import { markdownTable } from '../../src/measurements/markdown-table.ts';
import { spread, spreadInWords } from '../../src/measurements/statistics.ts';
import type { Figures } from '../benchmark.ts';
import { goalTable, valuesOf } from '../goal-table.ts';
import { denseLayers, operationsByCustom, operationsNeeded } from './floating-point-operations.ts';
import { matrixPeak, RATIOS } from './ratios.ts';
import type { VariantName } from './variant-names.ts';

/** The section about training: ratios with what was to be reached, what they are made of, and how it was measured. */
export function renderTraining({ samples }: Figures): string {
  return [
    '### Ratios',
    goalTable(RATIOS.map((ratio) => ({ ...ratio, found: ratio.of(samples) }))),
    '### What they are made of',
    markdownTable(['measured', 'figure'], measuredRows(samples)),
    '### How',
    HOW,
    operationsInWords(),
  ].join('\n\n');
}

const STEPS: readonly [VariantName, string][] = [
  ['onnx-batch-64', 'a step of deep-bn at batch 64, ONNX engine'],
  ['onnx-batch-256', 'a step of deep-bn at batch 256, ONNX engine'],
  ['tfjs-wasm-plain-batch-64', 'a step of deep-bn at batch 64, tfjs on WebAssembly as it is published'],
  ['tfjs-wasm-batch-64', 'a step of deep-bn at batch 64, tfjs on WebAssembly with our products'],
];

const EPOCHS: readonly [VariantName, string][] = [
  ['atelier-epochs', 'an epoch of atelier'],
  ['atelier-epochs-without-augmentation', 'an epoch of atelier without its augmentation'],
  ['deep-bn-epochs', 'an epoch of deep-bn'],
];

function measuredRows(samples: Figures['samples']): string[][] {
  const inWords = (variant: VariantName, name: string, digits: number, unit: string) =>
    spreadInWords(spread(valuesOf(samples, variant, name)), (value) => value.toFixed(digits), unit);
  return [
    ['matrix peak, best of all rounds', `${matrixPeak(samples).toFixed(0)} GFLOP/s`],
    ['matrix peak, each round', inWords('matrix-peak', 'gigaflops', 0, 'GFLOP/s')],
    ...STEPS.map(([variant, title]) => [title, inWords(variant, 'stepMs', 2, 'ms')]),
    ...EPOCHS.map(([variant, title]) => [title, inWords(variant, 'epochSeconds', 2, 's')]),
  ];
}

const HOW = `- The matrix peak is what onnxruntime itself reaches with the same threads: products of square float32 matrices of side
  1024 and 2048, four in a row, the best call. A share of it is of the best round.
- Steps are in the steady state, a hundred of them in each call of the ONNX engine and ten of tfjs', after two calls that
  do not count. The images are noise. The ratio of two epochs is that of their steps: an epoch of tfjs is not waited for.
- "tfjs as it is published" has the matrix products of its WebAssembly backend; our tfjs engine transposes first
  ([docs/adr/0006](adr/0006-products-on-webassembly.md)).
- Epochs are of all images by the path of \`npm run train\`, four in a process and the first left out; an epoch lasts until
  the next one ends, with augmentation, validation and checkpoint. Augmentation's share is what an epoch without it is
  shorter by. Memory is the largest resident set of the process, evaluation, export and report included.
- The benchmark's runs are thrown away with their test numbers, which nobody sees.`;

function operationsInWords(): string {
  const recipe = findRecipe('deep-bn');
  const layers = denseLayers(recipe);
  const products = layers.map(({ inputs, units }) => `${inputs}·${units}`).join(' + ');
  const rest = layers
    .slice(1)
    .map(({ inputs, units }) => `${inputs}·${units}`)
    .join(' + ');
  const millions = (operations: number) => `${(operations / 1e6).toFixed(1)} million`;
  return `A step of deep-bn at batch B needs, in matrix products, forward and for the gradients of every kernel and of every
input but the first,

    2·B·(2·(${products})
        + ${rest})

floating-point operations, a multiplication and an addition being two: ${millions(operationsNeeded(recipe, 64))} at batch 64. The customary count,
three times the forward pass, has ${millions(operationsByCustom(recipe, 64))} there; 32 % of a peak of 430 GFLOP/s are 1.6 ms by that count, which the
goal was written with. Activations, batch norm, dropout and the optimiser count as nothing in both.`;
}
