import { type LayerRule, passMask, passThrough } from '../rule.ts';
import { activation, elu, keptByKeras, leakyReLU, pReLU, reLU, thresholdedReLU } from './activation-layers.ts';
import { dense } from './dense.ts';
import { flatten, permute, repeatVector, reshape } from './shape-layers.ts';
import { softmax } from './softmax.ts';

/** A layer that does nothing at inference. */
const vanishes = { convert: passThrough, mask: passMask, takesAnyType: true, onnx: 'nothing' } as const;

/** Dense layers, activations, layers that only arrange, and those that do nothing at inference. */
export const CORE_RULES = {
  Activation: { convert: activation, mask: passMask, onnx: 'see the activations' },
  ActivityRegularization: { ...vanishes, isBeyondTfjs: true },
  AlphaDropout: vanishes,
  Dense: {
    convert: dense,
    mask: passMask,
    onnx: 'Gemm for a matrix, MatMul and Add for any other rank; then its activation',
  },
  Dropout: vanishes,
  ELU: { convert: elu, mask: keptByKeras, onnx: 'Elu, with any alpha' },
  Flatten: { convert: flatten, takesAnyType: true, onnx: 'Flatten; with channels first, Transpose before it' },
  GaussianDropout: vanishes,
  GaussianNoise: vanishes,
  Identity: { ...vanishes, isBeyondTfjs: true },
  LeakyReLU: { convert: leakyReLU, mask: keptByKeras, onnx: 'LeakyRelu' },
  PReLU: { convert: pReLU, mask: passMask, onnx: 'PRelu' },
  Permute: { convert: permute, takesAnyType: true, onnx: 'Transpose' },
  ReLU: {
    convert: reLU,
    mask: passMask,
    onnx: 'Relu; Clip where it has a maximum, LeakyRelu a slope, ThresholdedRelu a threshold',
  },
  RepeatVector: { convert: repeatVector, takesAnyType: true, onnx: 'Unsqueeze, Expand' },
  Reshape: { convert: reshape, takesAnyType: true, onnx: 'Reshape' },
  Softmax: {
    convert: softmax,
    mask: keptByKeras,
    heedsMask: 'elements',
    onnx: "Softmax along the layer's axis, which is 1 where a file of TensorFlow.js says none; ReduceLogSumExp, Sub, Exp over several",
  },
  SpatialDropout1D: vanishes,
  SpatialDropout2D: { ...vanishes, isBeyondTfjs: true },
  SpatialDropout3D: { ...vanishes, isBeyondTfjs: true },
  ThresholdedReLU: { convert: thresholdedReLU, mask: keptByKeras, onnx: 'ThresholdedRelu' },
} as const satisfies Record<string, LayerRule>;
