import type { LayerRule } from '../../rule.ts';
import { recurrent, recurrentMask } from './recurrent-layers.ts';

const layer = (onnx: string): LayerRule => ({ convert: recurrent, mask: recurrentMask, onnx });

/** Layers that go through a sequence step by step. */
export const RECURRENT_RULES = {
  SimpleRNN: layer('RNN; Scan under a mask, or with an activation that RNN does not have'),
  GRU: layer('GRU; Scan under a mask, or with an activation that GRU does not have'),
  LSTM: layer('LSTM; Scan under a mask, or with an activation that LSTM does not have'),
  RNN: layer('RNN, GRU, LSTM or Scan, one for each cell of the stack'),
  ConvLSTM2D: layer('Scan of two Convs'),
} as const satisfies Record<string, LayerRule>;
