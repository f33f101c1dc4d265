import { float, int, node } from '@atelier/onnx';
import { activate, activationOf, clip } from '../activations.ts';
import { unsupported } from '../errors.ts';
import type { Layer, Rule, Step, Value } from '../step.ts';

export const activation: Rule = (layer, input) => activate(activationOf(layer), input, layer.output, layer.isKeras3);

/** TensorFlow.js knows `max_value` alone; Keras's slope and threshold are followed where it is followed: nowhere. */
export const reLU: Rule = (layer, input) => {
  for (const key of ['negative_slope', 'threshold']) {
    const setting = layer.settings.number(key, 0);
    if (setting === 0) continue;
    if (layer.isKeras3) {
      throw unsupported(
        `Layer "${layer.name}" is a ReLU with ${key} ${setting}; supported: max_value. Use LeakyReLU or ThresholdedReLU.`,
      );
    }
    layer.warn(`TensorFlow.js ignores ${key} ${setting} of a ReLU, and so does the ONNX model.`);
  }
  if (layer.settings.get('max_value') === undefined) return elementwise(layer, input, 'Relu');
  return {
    ...clip(input.name, layer.output, 0, layer.settings.number('max_value')),
    output: { ...input, name: layer.output },
  };
};

export const leakyReLU: Rule = (layer, input) => {
  const slope = layer.settings.get('negative_slope');
  // Keras 3 renamed alpha; TensorFlow.js does not know the new name and takes its default.
  if (layer.isKeras3 && slope !== undefined) {
    return elementwise(layer, input, 'LeakyRelu', layer.settings.number('negative_slope'));
  }
  if (slope !== undefined) {
    layer.warn(
      'TensorFlow.js ignores negative_slope of a LeakyReLU and reads alpha (default 0.3); so does the ONNX model.',
    );
  }
  return elementwise(layer, input, 'LeakyRelu', layer.settings.number('alpha', 0.3));
};

export const elu: Rule = (layer, input) => elementwise(layer, input, 'Elu', layer.settings.number('alpha', 1));

export const thresholdedReLU: Rule = (layer, input) =>
  elementwise(layer, input, 'ThresholdedRelu', layer.settings.number('theta', 1));

/** The layer's own default axis is 1, unlike the activation's -1 and unlike Keras. */
export const softmax: Rule = (layer, input) => {
  const axis = layer.settings.axis('axis', layer.isKeras3 ? -1 : 1, input.shape.length);
  if (axis === undefined) {
    throw unsupported(`Layer "${layer.name}" is a Softmax over several axes; supported: one axis.`);
  }
  return {
    nodes: [node('Softmax', [input.name], layer.output, { axis: int(axis) })],
    initializers: [],
    output: { ...input, name: layer.output },
  };
};

function elementwise({ output }: Layer, input: Value, opType: string, alpha?: number): Step {
  const attributes = alpha === undefined ? {} : { alpha: float(alpha) };
  return {
    nodes: [node(opType, [input.name], output, attributes)],
    initializers: [],
    output: { ...input, name: output },
  };
}
