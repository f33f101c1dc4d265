import { type HiddenLayer, parseRecipe, type Recipe, type WeightDecay } from '@atelier/domain';

/** What an ablation takes out of a network and puts in. */
export const PARTS = ['dropout', 'batch norm', 'weight decay'] as const;
export type Part = (typeof PARTS)[number];

/** What a part is in a recipe that has none of it; otherwise it is as the recipe has it. */
const OURS = {
  dropout: 0.2,
  batchNormalization: 'before-activation',
  weightDecay: { kind: 'decoupled', rate: 0.05, appliesTo: 'kernels' },
} as const satisfies Pick<HiddenLayer, 'dropout' | 'batchNormalization'> & { weightDecay: WeightDecay };

/** One network of an ablation. */
export interface Variant {
  /** For people, unique: "none", "dropout and batch norm", "all". */
  name: string;
  parts: readonly Part[];
}

/** Every combination of the parts, from none to all: eight, so that what two parts do together shows too. */
export const VARIANTS: readonly Variant[] = combinations(PARTS)
  .toSorted((a, b) => a.length - b.length)
  .map((parts) => ({ name: nameOf(parts), parts }));

/**
 * The recipe with these parts and none of the others, and without early stopping, which would hide overfitting: every
 * variant trains the same epochs, and its last weights count. All else is the recipe's.
 */
export function variantRecipe(
  recipe: Recipe,
  { name, parts }: Variant,
  { epochs, seed }: { epochs: number; seed: number },
): Recipe {
  const own = partsOf(recipe);
  const pick = <Value>(part: Part, without: Value, found: Value, ours: Value): Value => {
    if (!parts.includes(part)) return without;
    return own.includes(part) ? found : ours;
  };
  return parseRecipe({
    ...recipe,
    // A name of its own, so that its runs are not taken for the recipe's.
    name: [recipe.name, 'with', ...(parts.length === 0 ? ['none'] : parts)].join('-').replaceAll(' ', '-'),
    description: `${recipe.name}; of ${PARTS.join(', ')}: ${name}`,
    hiddenLayers: recipe.hiddenLayers.map((layer) => ({
      ...layer,
      dropout: pick('dropout', 0, layer.dropout, OURS.dropout),
      batchNormalization: pick('batch norm', 'none', layer.batchNormalization, OURS.batchNormalization),
    })),
    weightDecay: pick('weight decay', { kind: 'none' }, recipe.weightDecay, OURS.weightDecay),
    earlyStopping: null,
    epochs,
    seed,
  });
}

/** What the recipe has by itself. */
export function partsOf({ hiddenLayers, weightDecay }: Recipe): Part[] {
  const has: Record<Part, boolean> = {
    dropout: hiddenLayers.some(({ dropout }) => dropout > 0),
    'batch norm': hiddenLayers.some(({ batchNormalization }) => batchNormalization !== 'none'),
    'weight decay': weightDecay.kind !== 'none',
  };
  return PARTS.filter((part) => has[part]);
}

/** A sentence for each part that is not the recipe's own. */
export function addedParts(recipe: Recipe): string[] {
  const { rate, kind, appliesTo } = OURS.weightDecay;
  const sentences: Record<Part, string> = {
    dropout: `The recipe has no dropout: where it is put in, every hidden layer drops a share of ${OURS.dropout}.`,
    'batch norm': `The recipe has no batch norm: where it is put in, every hidden layer has it ${OURS.batchNormalization.replace('-', ' the ')}.`,
    'weight decay': `The recipe has no weight decay: where it is put in, it is ${kind}, ${rate}, on ${appliesTo}.`,
  };
  const own = partsOf(recipe);
  return PARTS.filter((part) => !own.includes(part)).map((part) => sentences[part]);
}

function nameOf(parts: readonly Part[]): string {
  if (parts.length === 0) return 'none';
  return parts.length === PARTS.length ? 'all' : parts.join(' and ');
}

function combinations<Item>(items: readonly Item[]): Item[][] {
  const [first, ...rest] = items;
  if (first === undefined) return [[]];
  const without = combinations(rest);
  return [...without.map((each) => [first, ...each]), ...without];
}
