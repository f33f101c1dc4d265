/** What is converted: some 100 MB of weights each, if they were float32. */
export const MODELS = {
  'one-file': 'Dense layers, float32 in one file',
  shards: 'Dense layers, float32 in files of 4 MiB, as TensorFlow.js saves them',
  'other-alignment': 'Dense layers, float32 in one file at odd addresses',
  convolutions: 'a stack of Conv2D, whose kernels ONNX wants in another order',
  uint8: 'Dense layers, quantised to uint8 (25 MB), as float32',
} as const;
export type ModelName = keyof typeof MODELS;

/** The first model again, as the whole command from its start to its end. */
export const COMMAND = 'command';

export const VARIANT_NAMES = [...(Object.keys(MODELS) as ModelName[]), COMMAND];
