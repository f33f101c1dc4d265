import { CLASS_COUNT, MAXIMUM_PIXEL, PIXELS_PER_IMAGE, type Recipe } from '@atelier/domain';

/** What a network computes with, one after the other, from scaled pixels to logits; what only training does is left out. */
export type NetworkStep = { layer: string } & (
  | { kind: 'scaling'; scale: number; offset: number }
  | { kind: 'dense'; inputs: number; units: number }
  | { kind: 'batch-normalization'; units: number; epsilon: number }
  | { kind: 'activation'; activation: string }
);

/** The steps of a recipe's network, with the names of its layers. */
export function networkSteps(recipe: Recipe): NetworkStep[] {
  const [minimum, maximum] = recipe.inputRange;
  const steps: NetworkStep[] = [
    { kind: 'scaling', layer: 'scaled', scale: (maximum - minimum) / MAXIMUM_PIXEL, offset: minimum },
  ];
  let inputs = PIXELS_PER_IMAGE;
  recipe.hiddenLayers.forEach(({ units, activation, batchNormalization }, index) => {
    const number = index + 1;
    const { epsilon } = recipe.batchNormalization;
    const normalized: NetworkStep = { kind: 'batch-normalization', layer: `normalization_${number}`, units, epsilon };
    const activated: NetworkStep[] =
      activation === 'linear' ? [] : [{ kind: 'activation', layer: `activation_${number}`, activation }];
    steps.push(
      { kind: 'dense', layer: `hidden_${number}`, inputs, units },
      ...(batchNormalization === 'before-activation' ? [normalized] : []),
      ...activated,
      ...(batchNormalization === 'after-activation' ? [normalized] : []),
    );
    inputs = units;
  });
  return [...steps, { kind: 'dense', layer: 'logits', inputs, units: CLASS_COUNT }];
}
