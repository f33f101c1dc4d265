import { answerJson, clientLeaves, methodNotAllowed, parseQuery } from '@atelier/http';
import { type RequestHandler, Router } from 'express';
import { PredictQuery, type PredictResponse } from '../contract/predict.ts';
import { referenceTo } from '../model-reference.ts';
import type { Models } from '../models/models.ts';
import { rank } from '../rank.ts';
import { type ImageReaderParts, readImages } from './read-images.ts';
import { deadlineOf } from './request-timeout.ts';

/** What is in this picture? Refused before its body is read when no model could answer. */
export function predictRoute(models: Models, reader: ImageReaderParts): Router {
  const predict: RequestHandler = async (request, response) => {
    models.choose({});
    const { top } = parseQuery(PredictQuery, request.query);
    const signal = clientLeaves(response, deadlineOf(request.get('Request-Timeout')));
    const images = await readImages(request, reader, signal);
    // Chosen anew: while the body came, another version may have taken over and the first been released.
    const predictor = models.choose({});
    const { probabilities } = await predictor.predict(images, { signal });
    const { version, device } = predictor;
    const predictions = rank(probabilities, top);
    answerJson(response, { model: referenceTo(version), device: device.actual, predictions } satisfies PredictResponse);
  };
  const router = Router();
  router.route('/predict').post(predict).all(methodNotAllowed('POST'));
  return router;
}
