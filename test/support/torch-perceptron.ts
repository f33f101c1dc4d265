import { type Attribute, int, type OnnxModel } from '@atelier/onnx';
import { TorchExport } from './torch-export.ts';

export interface PerceptronOptions {
  /** Widths of the hidden layers. */
  units: readonly number[];
  /** The operator of the activation, and its attributes. */
  activation: string;
  attributes: Record<string, Attribute>;
  /** With batch normalisation between each hidden layer and its activation. */
  normalized: boolean;
  /** The input behind the batch. */
  shape: readonly number[];
}

/**
 * A perceptron for Fashion-MNIST as torch.onnx.export writes it: images [N, 1, 28, 28], already scaled, in; Flatten, then
 * `fc1`, `bn1`, `relu1` and so on with the weights `fc1.weight` [out, in]; logits [N, 10] out.
 */
export function torchPerceptron(seed: number, options: Partial<PerceptronOptions> = {}): OnnxModel {
  const { units = [16], activation = 'Relu', attributes = {}, normalized = false, shape = [1, 28, 28] } = options;
  const torch = new TorchExport(seed);
  let [value, inputs] = [
    torch.op('Flatten', 'flatten', ['input.1'], { axis: int(1) }),
    shape.reduce((pixels, size) => pixels * size, 1),
  ];
  units.forEach((width, index) => {
    const number = index + 1;
    value = torch.linear(`fc${number}`, value, [inputs, width]);
    if (normalized) value = torch.batchNorm(`bn${number}`, value, width, 1e-3);
    value = torch.op(activation, `relu${number}`, [value], attributes);
    inputs = width;
  });
  return torch.model({ name: 'input.1', shape }, torch.linear(`fc${units.length + 1}`, value, [inputs, 10]));
}
