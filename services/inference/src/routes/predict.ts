import { answerJson, clientLeaves, methodNotAllowed, parseQuery, timingsOf } from '@atelier/http';
import { type RequestHandler, Router } from 'express';
import { PredictQuery, type PredictResponse } from '../contract/predict.ts';
import type { DriftMonitor } from '../drift/drift-monitor.ts';
import { referenceTo } from '../model-reference.ts';
import { predictPictures } from '../predictor/mirror-choice.ts';
import { setProvenance } from '../provenance.ts';
import type { Models } from '../models/models.ts';
import { rank } from '../rank.ts';
import { judgeAll } from '../trust/judge.ts';
import { type ImageReaderParts, readImages } from './read-images.ts';
import { addExplanations, requireExplainable } from './explanations.ts';
import { deadlineOf } from './request-timeout.ts';
import { addImageFacts } from './image-facts.ts';

/** Most requests have no query. */
const DEFAULTS = PredictQuery.parse({});

/** What is in this picture? Refused before its body is read when no model could answer. */
export function predictHandler(
  models: Models,
  reader: ImageReaderParts,
  { maximumExplained, drift }: { maximumExplained: number; drift: DriftMonitor },
): RequestHandler {
  return async (request, response) => {
    const isPlain = Object.keys(request.query).length === 0;
    const query = isPlain ? DEFAULTS : parseQuery(PredictQuery, request.query);
    const { top, model: name, version, label, preview, polarity, crop, explain: method } = query;
    const requestId = response.locals['requestId'] as string;
    const predictor = models.choose({ name, version, label, requestId });
    const signal = clientLeaves(response, deadlineOf(request));
    const timings = timingsOf(response);
    const started = performance.now();
    const carried = await readImages(request, reader, { polarity, crop }, signal);
    timings['read_ms'] = performance.now() - started;
    if (method !== undefined) requireExplainable(carried.images, maximumExplained);
    const options = { signal, timings };
    const predicted = await predictPictures(predictor, carried, options);
    const { images, facts } = predicted;
    const { outputs, explanations } =
      method === undefined
        ? { outputs: predicted.outputs, explanations: [] }
        : await predictor.explain(images, predicted.outputs, method, options);
    setProvenance(response, predictor);
    const { version: answering, device } = predictor; // another one where the first was released while the body came
    const judgements = judgeAll(answering.manifest, outputs);
    drift.answered(answering, outputs, judgements);
    const predictions = rank(outputs.probabilities, top, judgements);
    if (facts !== undefined) addImageFacts(predictions, facts, preview ? images : undefined);
    await addExplanations(predictions, explanations, images);
    const answer: PredictResponse = { model: referenceTo(answering), device: device.actual, predictions };
    answerJson(response, answer);
  };
}

export function predictRoute(predict: RequestHandler): Router {
  const router = Router();
  router.route('/predict').post(predict).all(methodNotAllowed('POST'));
  return router;
}
