import type { DenseLayer } from './network.ts';

export interface FirstLayer {
  units: number;
  /** Weights [28, 28] of the units with the largest norm, the largest first. */
  shown: readonly { unit: number; weights: Float32Array }[];
}

/** The weights of `count` units as images; `layer` takes the 784 pixels. */
export function firstLayerWeights({ inputs, units, kernel }: DenseLayer, count: number): FirstLayer {
  const all = Array.from({ length: units }, (_, unit) => {
    const weights = Float32Array.from({ length: inputs }, (_, pixel) => kernel[pixel * units + unit] ?? NaN);
    return { unit, weights, norm: Math.hypot(...weights) };
  });
  const shown = all.sort((a, b) => b.norm - a.norm).slice(0, count);
  return { units, shown: shown.map(({ unit, weights }) => ({ unit, weights })) };
}
