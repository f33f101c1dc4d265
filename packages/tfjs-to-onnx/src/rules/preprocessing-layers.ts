import { type LayerRule, passThrough } from '../rule.ts';
import { categoryEncoding, randomCrop, randomWidth, rescaling } from './preprocessing.ts';

/** Changes images at random while training, and casts to float32 at inference. */
const forTraining = { convert: passThrough, isBeyondTfjs: true, onnx: 'nothing, or Cast' } as const;

const onStrings = {
  refused:
    'It works on text, which a layers model cannot be given. Look the indices up before the model, and save it from there on.',
  isBeyondTfjs: true,
} as const;

const ofPython = {
  refused:
    'Its function is Python code, or a TensorFlow function by name, which the file does not hold. Build the model with layers in its place.',
  isBeyondTfjs: true,
} as const;

/** Layers that prepare data, and those that only Python can run. */
export const PREPROCESSING_RULES = {
  BaseRandomLayer: {
    refused:
      'It is the base class of random layers and computes nothing. Save the model with the layer that was meant.',
    isBeyondTfjs: true,
  },
  CategoryEncoding: {
    convert: categoryEncoding,
    takesAnyType: true,
    onnx: 'OneHot; ReduceMax for multi_hot, ReduceSum for count, after Mul where it has count_weights',
  },
  Discretization: {
    refused: 'TensorFlow.js has no such layer. Sort the numbers into their bins before the model.',
    isBeyondTfjs: true,
  },
  HashedCrossing: {
    refused: 'It hashes with SipHash, which ONNX has no operator for. Hash before the model.',
    isBeyondTfjs: true,
  },
  Hashing: {
    refused: 'It hashes with FarmHash or SipHash, which ONNX has no operator for. Hash before the model.',
    isBeyondTfjs: true,
  },
  IntegerLookup: {
    refused:
      'Its vocabulary is no weight of the model. Look the indices up before the model, and save it from there on.',
    isBeyondTfjs: true,
  },
  Lambda: ofPython,
  RandomBrightness: forTraining,
  RandomContrast: forTraining,
  RandomCrop: {
    convert: randomCrop,
    isBeyondTfjs: true,
    onnx: 'nothing, or Cast, of images of its own size; others are refused',
  },
  RandomFlip: forTraining,
  RandomHeight: forTraining,
  RandomRotation: forTraining,
  RandomTranslation: forTraining,
  RandomWidth: { convert: randomWidth, onnx: 'nothing, or Cast' },
  RandomZoom: forTraining,
  Rescaling: { convert: rescaling, onnx: 'Mul, Add' },
  SlicingOpLambda: ofPython,
  StringLookup: onStrings,
  TFSMLayer: {
    refused: 'It runs a SavedModel, which is another file. Convert that SavedModel by itself (tf2onnx).',
    isBeyondTfjs: true,
  },
  TextVectorization: onStrings,
} as const satisfies Record<string, LayerRule>;
