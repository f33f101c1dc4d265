import { CLASS_COUNT, PIXELS_PER_IMAGE, type Recipe } from '@atelier/domain';

/** A product of [batch, inputs] by [inputs, units]. */
interface DenseLayer {
  inputs: number;
  units: number;
}

/** The dense layers of a recipe, from the pixels to the logits. */
export function denseLayers({ hiddenLayers }: Recipe): DenseLayer[] {
  const widths = [PIXELS_PER_IMAGE, ...hiddenLayers.map(({ units }) => units), CLASS_COUNT];
  return widths.slice(1).map((units, index) => ({ inputs: widths[index] ?? 0, units }));
}

/**
 * Floating-point operations of the matrix products that a step cannot do without, a multiplication and an addition being
 * two: the forward product of each layer, the gradient of its weights, and that of its input save for the first, whose
 * input is the images. All else of a step is left out.
 */
export function operationsNeeded(recipe: Recipe, batchSize: number): number {
  return denseLayers(recipe).reduce(
    (sum, layer, index) => sum + (index === 0 ? 2 : 3) * operationsOfProduct(layer, batchSize),
    0,
  );
}

/** The customary count, three times the forward pass, which takes the first layer's input for one that has a gradient. */
export function operationsByCustom(recipe: Recipe, batchSize: number): number {
  return 3 * denseLayers(recipe).reduce((sum, layer) => sum + operationsOfProduct(layer, batchSize), 0);
}

function operationsOfProduct({ inputs, units }: DenseLayer, batchSize: number): number {
  return 2 * batchSize * inputs * units;
}
