import type { UpdateRule } from './optimizer.ts';

/** The moment holds steps rather than gradients: a change of the learning rate does not scale what has gathered. */
export const rmsprop: UpdateRule<'rmsprop'> = {
  slots: ['mean-square', 'moment'],
  update: ({ graph, settings, parameter, gradient, learningRate, slots }) => {
    const square = graph.times(graph.times(gradient, gradient), 1 - settings.decay);
    const meanSquare = graph.plus(graph.times(slots['mean-square'] ?? '', settings.decay), square);
    const root = graph.add('Sqrt', [graph.plus(meanSquare, settings.epsilon)]);
    const step = graph.over(graph.times(gradient, learningRate), root);
    const moment = graph.plus(graph.times(slots['moment'] ?? '', settings.momentum), step);
    return { parameter: graph.minus(parameter, moment), slots: { 'mean-square': meanSquare, moment } };
  },
};
