import { type CalibrationBin, calibrationBins, PIXELS_PER_IMAGE } from '@atelier/domain';
import { type Examples, slice } from '@atelier/fashion-mnist';
import { decodeModel, encodeModel } from '@atelier/onnx';
import { subgraph } from '@atelier/onnx-training';
import { OnnxModel } from '../export/onnx-model.ts';
import { type Activations, activationsOf } from './activations.ts';
import {
  type ClassifiedImage,
  classifiedImages,
  confidentMistakes,
  oneOfEachClass,
  someCorrect,
} from './classified-images.ts';
import { type FirstLayer, firstLayerWeights } from './first-layer.ts';
import { denseLayers, withOutputs } from './network.ts';

const CORRECT_PER_CLASS = 2;
const MISTAKES = 20;
const UNITS_SHOWN = 64;
/** Images whose way through the hidden layers is shown, each of another class. */
const IMAGES_FOLLOWED = 5;
/** All 10,000 through a wide network would be hundreds of megabytes of activations. */
const IMAGES_COUNTED = 1000;

/** What a report says about a model beyond its manifest; the images are of the test split. */
export interface ModelFindings {
  calibration: readonly CalibrationBin[];
  /** Some of each class. */
  correct: readonly ClassifiedImage[];
  /** The most confident first. */
  mistakes: readonly ClassifiedImage[];
  firstLayer: FirstLayer;
  activations: Activations;
}

/** Looks into `bytes`, a published graph of dense layers, with the test images. */
export async function inspectModel(bytes: Uint8Array, test: Examples): Promise<ModelFindings> {
  const decoded = decodeModel(bytes, 'model.onnx');
  const [first, ...later] = denseLayers(subgraph(decoded.graph, ['logits']));
  if (first?.inputs !== PIXELS_PER_IMAGE) {
    throw new RangeError(`The first dense layer takes ${first?.inputs ?? 'no'} inputs; expected ${PIXELS_PER_IMAGE}.`);
  }
  const hidden = later.map(({ input, inputs }) => ({ name: input, width: inputs }));
  return OnnxModel.using(encodeModel(withOutputs(decoded, hidden)), async (model) => {
    const { probabilities } = await model.predict(test.images);
    const images = classifiedImages(test, probabilities);
    const followed = oneOfEachClass(images).slice(0, IMAGES_FOLLOWED);
    const counted = slice(test, 0, Math.min(IMAGES_COUNTED, test.count));
    return {
      calibration: calibrationBins(probabilities, test.labels),
      correct: someCorrect(images, CORRECT_PER_CLASS),
      mistakes: confidentMistakes(images, MISTAKES),
      firstLayer: firstLayerWeights(first, UNITS_SHOWN),
      activations: await activationsOf(model, hidden, followed, counted.images),
    };
  });
}
