import { createApplication, type Log, methodNotAllowed, probeRoutes } from '@atelier/http';
import { type Express, Router } from 'express';
import type { InferenceConfig } from './config.ts';
import type { ImageReaderParts } from './routes/read-images.ts';
import { referenceTo } from './model-reference.ts';
import { modelsRoute } from './routes/models.ts';
import { predictRoute } from './routes/predict.ts';
import type { ServedModel } from './models/serve-newest.ts';

export interface AppParts {
  model: ServedModel;
  /** How requests become images. */
  images: Pick<ImageReaderParts, 'decode' | 'admit'>;
  config: InferenceConfig;
  log: Log;
}

/** The application; needs no port. */
export function buildApp({ model, images, config, log }: AppParts): Express {
  return createApplication(log, [
    indexRoute(),
    probeRoutes(() => {
      const { version, device } = model.readyPredictor();
      return { model: referenceTo(version), device: device.actual };
    }),
    modelsRoute(model, config.modelsDirectory),
    predictRoute(model, { ...images, limits: config }),
  ]);
}

function indexRoute(): Router {
  const router = Router();
  router
    .route('/')
    .get((_request, response) => {
      response.json({
        service: 'Atelier inference',
        routes: ['POST /predict', 'GET /models', 'GET /healthz', 'GET /readyz'],
      });
    })
    .all(methodNotAllowed('GET', 'HEAD'));
  return router;
}
