import { clientLeaves, methodNotAllowed, parseQuery } from '@atelier/http';
import { type RequestHandler, Router } from 'express';
import { PredictQuery, type PredictResponse } from '../contract/predict.ts';
import type { FilesDecoder } from '../image/decode.ts';
import { referenceTo } from '../model-reference.ts';
import { rank } from '../rank.ts';
import type { Models } from '../models/models.ts';
import type { ImageLimits } from './image-limits.ts';
import { readImages } from './read-images.ts';

/** What is in this picture? Refused before its body is read when no model could answer. */
export function predictRoute(models: Models, decode: FilesDecoder, limits: ImageLimits): Router {
  const predict: RequestHandler = async (request, response) => {
    const predictor = models.choose({});
    const { top } = parseQuery(PredictQuery, request.query);
    const images = await readImages(request, decode, limits, clientLeaves(response));
    const predictions = rank((await predictor.predict(images)).probabilities, top);
    const { version, device } = predictor;
    response.json({ model: referenceTo(version), device: device.actual, predictions } satisfies PredictResponse);
  };
  const router = Router();
  router.route('/predict').post(predict).all(methodNotAllowed('POST'));
  return router;
}
