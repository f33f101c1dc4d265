import type { UpdateRule } from './optimizer.ts';

/**
 * Adam with its moments kept as decayed sums: M = β₁·M + g and V = β₂·V + g² are the published means m and v divided by
 * 1 − β₁ and 1 − β₂. That saves two passes over every parameter; the constants go into the step size and into epsilon,
 * which are scalars (arXiv 1412.6980, the efficient order at the end of section 2):
 *
 *   η·m̂/(√v̂ + ε) = stepSize·M/(√V + ε′)  with, of aᵢ = (1 − βᵢ)/(1 − βᵢᵗ),
 *   ε′ = ε/√a₂  and  stepSize = η·a₁/√a₂.
 */
export const adam: UpdateRule<'adam'> = {
  slots: ['first-moment-sum', 'second-moment-sum'],
  perStep: (graph, { beta1, beta2, epsilon }, learningRate, step) => {
    const t = graph.cast(step, 'float64'); // 1 − βᵗ in float32 would have few digits, for a β close to 1 none
    const shareOfNewest = (beta: number) =>
      graph.over(1 - beta, graph.minus(1, graph.add('Pow', [graph.scalar(beta, t), t])));
    const root = graph.cast(graph.add('Sqrt', [shareOfNewest(beta2)]), 'float32');
    const rate = graph.times(learningRate, graph.cast(shareOfNewest(beta1), 'float32'));
    return { epsilon: graph.over(epsilon, root), stepSize: graph.over(rate, root) };
  },
  update: ({ graph, settings, parameter, gradient, slots, scalars }) => {
    const first = graph.plus(graph.times(slots['first-moment-sum'] ?? '', settings.beta1), gradient);
    const square = graph.times(gradient, gradient);
    const second = graph.plus(graph.times(slots['second-moment-sum'] ?? '', settings.beta2), square);
    const denominator = graph.plus(graph.add('Sqrt', [second]), scalars['epsilon'] ?? '');
    const direction = graph.over(first, denominator);
    return {
      parameter: graph.minus(parameter, graph.times(direction, scalars['stepSize'] ?? '')),
      slots: { 'first-moment-sum': first, 'second-moment-sum': second },
    };
  },
};
