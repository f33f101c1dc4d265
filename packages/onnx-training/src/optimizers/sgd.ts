import type { UpdateRule } from './optimizer.ts';

export const sgd: UpdateRule<'sgd'> = {
  slots: [],
  update: ({ graph, parameter, gradient, learningRate }) => ({
    parameter: graph.minus(parameter, graph.times(gradient, learningRate)),
    slots: {},
  }),
};
