import { methodNotAllowed, parseQuery } from '@atelier/http';
import { type RequestHandler, Router } from 'express';
import { PredictQuery, type PredictResponse } from '../contract/predict.ts';
import type { ImageDecoder } from '../image/decode.ts';
import { referenceTo } from '../model-reference.ts';
import { rank } from '../rank.ts';
import type { ServedModel } from '../served-model.ts';
import { imageBody, type ImageLimits, readImages } from './read-images.ts';

/** What is in this picture? Refused before its body is read when no model could answer. */
export function predictRoute(model: ServedModel, decode: ImageDecoder, limits: ImageLimits): Router {
  const requireModel: RequestHandler = (_request, _response, next) => {
    model.predictor();
    next();
  };
  const predict: RequestHandler = async (request, response) => {
    const { top } = parseQuery(PredictQuery, request.query);
    const images = await readImages(request, decode, limits);
    const predictor = model.predictor();
    const predictions = rank(await predictor.predict(images), top);
    const { version, device } = predictor;
    response.json({ model: referenceTo(version), device, predictions } satisfies PredictResponse);
  };
  const router = Router();
  router
    .route('/predict')
    .post(requireModel, ...imageBody(limits), predict)
    .all(methodNotAllowed('POST'));
  return router;
}
