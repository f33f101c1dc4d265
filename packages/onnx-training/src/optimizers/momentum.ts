import type { UpdateRule } from './optimizer.ts';

export const momentum: UpdateRule<'momentum'> = {
  slots: ['accumulation'],
  update: ({ graph, settings, parameter, gradient, learningRate, slots }) => {
    const accumulation = graph.plus(graph.times(slots['accumulation'] ?? '', settings.momentum), gradient);
    const direction = settings.nesterov
      ? graph.plus(gradient, graph.times(accumulation, settings.momentum))
      : accumulation;
    return {
      parameter: graph.minus(parameter, graph.times(direction, learningRate)),
      slots: { accumulation },
    };
  },
};
