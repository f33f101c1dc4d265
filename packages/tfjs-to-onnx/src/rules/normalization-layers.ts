import { type LayerRule, passMask } from '../rule.ts';
import { batchNormalization } from './batch-normalization.ts';
import { groupNormalization, normalization, rmsNormalization, unitNormalization } from './keras-normalizations.ts';
import { layerNormalization } from './layer-normalization.ts';

/** TensorFlow has had several classes for it, which are one at inference. */
const normalizesByMovingStatistics = {
  convert: batchNormalization,
  mask: passMask,
  onnx: 'BatchNormalization, between Transposes that bring its axis to the front and back; Sub, Mul, Add over several axes',
} as const;

/** Layers that bring values to a common scale. */
export const NORMALIZATION_RULES = {
  BatchNormalization: normalizesByMovingStatistics,
  BatchNormalizationV1: { ...normalizesByMovingStatistics, isBeyondTfjs: true },
  BatchNormalizationV2: { ...normalizesByMovingStatistics, isBeyondTfjs: true },
  GroupNormalization: {
    convert: groupNormalization,
    mask: passMask,
    isBeyondTfjs: true,
    onnx: 'Reshape to groups and back; ReduceMean and arithmetic between them',
  },
  LayerNormalization: {
    convert: layerNormalization,
    mask: passMask,
    onnx: 'LayerNormalization over last axes; ReduceMean and arithmetic over others, and below opset 17',
  },
  Normalization: { convert: normalization, isBeyondTfjs: true, onnx: 'Sub, Div' },
  RMSNormalization: {
    convert: rmsNormalization,
    mask: passMask,
    isBeyondTfjs: true,
    onnx: 'ReduceMean of the squares, Sqrt, Div, Mul',
  },
  SyncBatchNormalization: { ...normalizesByMovingStatistics, isBeyondTfjs: true },
  UnitNormalization: {
    convert: unitNormalization,
    mask: passMask,
    isBeyondTfjs: true,
    onnx: 'ReduceSumSquare, Max, Sqrt, Div',
  },
} as const satisfies Record<string, LayerRule>;
