import type { LayerRule } from '../rule.ts';
import { cropping, zeroPadding } from './borders.ts';
import { convolution, depthwiseConvolution, separableConvolution } from './convolutions.ts';
import { centerCrop, resizing } from './image-layers.ts';
import { globalPool, pool } from './pools.ts';
import { upSampling } from './resampling.ts';
import { transposedConvolution } from './transposed-convolutions.ts';

const conv = 'Conv, then the activation';
const depthwise = 'Conv with a group for each channel, then the activation';
const separable = 'Conv with a group for each channel, Conv of one element, then the activation';
const transposed = 'ConvTranspose, then the activation';
const nearest = 'Resize: nearest';

/** Layers that look at their input through a window, or change its size. */
export const WINDOW_RULES = {
  AveragePooling1D: { convert: pool('AveragePool', 1), onnx: 'AveragePool' },
  AveragePooling2D: { convert: pool('AveragePool', 2), onnx: 'AveragePool' },
  AveragePooling3D: { convert: pool('AveragePool', 3), onnx: 'AveragePool' },
  CenterCrop: {
    convert: centerCrop,
    onnx: 'Slice, or Gather of the places that TensorFlow.js takes; of smaller images Resize',
  },
  Conv1D: { convert: convolution(1), onnx: conv },
  Conv1DTranspose: { convert: transposedConvolution(1), onnx: transposed, isBeyondTfjs: true },
  Conv2D: { convert: convolution(2), onnx: conv },
  Conv2DTranspose: { convert: transposedConvolution(2), onnx: transposed },
  Conv3D: { convert: convolution(3), onnx: conv },
  Conv3DTranspose: { convert: transposedConvolution(3), onnx: transposed },
  Cropping1D: { convert: cropping(1), onnx: 'Slice', takesAnyType: true, isBeyondTfjs: true },
  Cropping2D: { convert: cropping(2), onnx: 'Slice', takesAnyType: true },
  Cropping3D: { convert: cropping(3), onnx: 'Slice', takesAnyType: true, isBeyondTfjs: true },
  DepthwiseConv1D: { convert: depthwiseConvolution(1), onnx: depthwise, isBeyondTfjs: true },
  DepthwiseConv2D: { convert: depthwiseConvolution(2), onnx: depthwise },
  GlobalAveragePooling1D: {
    convert: globalPool('ReduceMean', 1),
    onnx: 'ReduceMean; of the steps that a mask keeps, where the file means what Keras does: Mul, ReduceSum, Div',
  },
  GlobalAveragePooling2D: { convert: globalPool('ReduceMean', 2), onnx: 'ReduceMean' },
  GlobalAveragePooling3D: { convert: globalPool('ReduceMean', 3), onnx: 'ReduceMean', isBeyondTfjs: true },
  GlobalMaxPooling1D: { convert: globalPool('ReduceMax', 1), onnx: 'ReduceMax' },
  GlobalMaxPooling2D: { convert: globalPool('ReduceMax', 2), onnx: 'ReduceMax' },
  GlobalMaxPooling3D: { convert: globalPool('ReduceMax', 3), onnx: 'ReduceMax', isBeyondTfjs: true },
  MaxPooling1D: { convert: pool('MaxPool', 1), onnx: 'MaxPool' },
  MaxPooling2D: { convert: pool('MaxPool', 2), onnx: 'MaxPool' },
  MaxPooling3D: { convert: pool('MaxPool', 3), onnx: 'MaxPool' },
  Resizing: { convert: resizing, onnx: 'Resize: linear; for the nearest elements Gather' },
  SeparableConv1D: { convert: separableConvolution(1), onnx: separable, isBeyondTfjs: true },
  SeparableConv2D: { convert: separableConvolution(2), onnx: separable },
  UpSampling1D: { convert: upSampling(1), onnx: nearest, isBeyondTfjs: true },
  UpSampling2D: { convert: upSampling(2), onnx: 'Resize: nearest, or linear' },
  UpSampling3D: { convert: upSampling(3), onnx: nearest, isBeyondTfjs: true },
  ZeroPadding1D: { convert: zeroPadding(1), onnx: 'Pad', isBeyondTfjs: true },
  ZeroPadding2D: { convert: zeroPadding(2), onnx: 'Pad' },
  ZeroPadding3D: { convert: zeroPadding(3), onnx: 'Pad', isBeyondTfjs: true },
} as const satisfies Record<string, LayerRule>;
