import type { UpdateRule } from './optimizer.ts';

/**
 * Adam with its moments kept as decayed sums: M = β₁·M + g and V = β₂·V + g² are the published means m and v divided by
 * 1 − β₁ and 1 − β₂. That saves two passes over every parameter; the constants go into the step size and into epsilon,
 * which are scalars (arXiv 1412.6980, the efficient order at the end of section 2):
 *
 *   η·m̂/(√v̂ + ε) = stepSize·M/(√V + ε′)  with  ε′ = ε·√((1 − β₂ᵗ)/(1 − β₂)),
 *   stepSize = η·(1 − β₁)/(1 − β₁ᵗ)·√((1 − β₂ᵗ)/(1 − β₂)).
 */
export const adam: UpdateRule<'adam'> = {
  slots: ['first-moment-sum', 'second-moment-sum'],
  perStep: (graph, { beta1, beta2, epsilon }, learningRate, step) => {
    const remaining = (beta: number) => graph.minus(1, graph.add('Pow', [graph.scalar(beta, step), step]));
    const root = graph.add('Sqrt', [graph.times(remaining(beta2), 1 / (1 - beta2))]);
    const rate = graph.over(graph.times(learningRate, 1 - beta1), remaining(beta1));
    return { epsilon: graph.times(root, epsilon), stepSize: graph.times(rate, root) };
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
