import { type LayerRule, passMask } from '../../rule.ts';
import { embedding } from '../embedding.ts';
import { embeddingMask, masking, maskingMask } from '../masking.ts';
import { heededInside, timeDistributed } from '../time-distributed.ts';
import { bidirectional, bidirectionalMask } from './bidirectional.ts';
import { cell, recurrent, recurrentMask } from './recurrent-layers.ts';

const layer = (onnx: string) => ({ convert: recurrent, mask: recurrentMask, heedsMask: 'steps', onnx }) as const;

const oneStep = {
  convert: cell,
  onnx: 'a layer of one step; TensorFlow.js has cells in layers alone',
} as const;

/** Layers of sequences: those that go through them step by step, and those that say which steps count. */
export const RECURRENT_RULES = {
  Bidirectional: {
    convert: bidirectional,
    mask: bidirectionalMask,
    heedsMask: 'steps',
    onnx: 'the operator in both directions, where it has no mask; else its two layers, and Concat, Add or Mul',
  },
  ConvLSTM2D: layer('Scan of two Convs'),
  ConvLSTM2DCell: oneStep,
  ConvRNN2D: { ...layer('Scan of two Convs'), isBeyondTfjs: true },
  Embedding: {
    convert: embedding,
    mask: embeddingMask,
    takesAnyType: true,
    onnx: 'Gather; a negative index, on which TensorFlow.js fails, counts from the end',
  },
  GRUCell: oneStep,
  GRU: layer('GRU; Scan under a mask, or with an activation that GRU does not have'),
  LSTMCell: oneStep,
  LSTM: layer('LSTM; Scan under a mask, or with an activation that LSTM does not have'),
  Masking: { convert: masking, mask: maskingMask, takesAnyType: true, onnx: 'Equal, Not, ReduceMax, Mul' },
  RNN: layer('what its cells are as layers, one after the other'),
  SimpleRNNCell: oneStep,
  StackedRNNCells: oneStep,
  SimpleRNN: layer('RNN; Scan under a mask, or with an activation that RNN does not have'),
  TimeDistributed: {
    convert: timeDistributed,
    mask: passMask,
    heedsMask: heededInside,
    onnx: 'its layer, between Reshapes where that is not the same without',
  },
} as const satisfies Record<string, LayerRule>;
