import {
  countRequests,
  createApplication,
  type DirectRoute,
  isLoopback,
  type HostNames,
  LOOPBACK_NAMES,
  type Log,
  methodNotAllowed,
  metricsRoute,
  NETWORK_NAMES,
  openApiRoutes,
  probeRoutes,
  refuseForeignPages,
  requireScope,
  RetryLater,
  type SpanSink,
  withHosts,
} from '@atelier/http';
import { type Express, type RequestHandler, Router } from 'express';
import { inferenceAccess, type InferenceAccess } from './access.ts';
import type { InferenceConfig } from './config.ts';
import { inferenceApi } from './contract/api.ts';
import type { ImageReaderParts } from './routes/read-images.ts';
import { type DriftMonitor, openDrift } from './drift/drift-monitor.ts';
import { referenceTo } from './model-reference.ts';
import { errorFormOf } from './open-inference/rest/error-form.ts';
import { healthRoutes } from './open-inference/rest/health-routes.ts';
import { repositoryRoutes } from './open-inference/rest/repository-routes.ts';
import { inferHandler } from './open-inference/rest/infer-route.ts';
import { type ModelPath, openInferenceRoutes } from './open-inference/rest/routes.ts';
import { CountedInferences } from './open-inference/statistics.ts';
import { driftRoute } from './routes/drift.ts';
import { evaluateRoute, type EvaluationParts } from './routes/evaluate.ts';
import { evaluationsRoutes } from './routes/evaluations.ts';
import { labelsRoutes } from './routes/labels.ts';
import type { InferenceMetrics } from './observability/inference-metrics.ts';
import { modelsRoute } from './routes/models.ts';
import { predictBatchRoute } from './routes/predict-batch.ts';
import { predictHandler, predictRoute } from './routes/predict.ts';
import type { RepositoryModels } from './models/serve-models.ts';

export interface AppParts {
  model: RepositoryModels;
  /** How requests become images. */
  images: Pick<ImageReaderParts, 'decode' | 'admit'>;
  /** What evaluations need. */
  evaluation: EvaluationParts;
  config: InferenceConfig;
  metrics: InferenceMetrics;
  /** Whether the first choice of a version has been made, whatever came of it. */
  hasStarted: () => boolean;
  /** Where each request goes as a span of a trace. Default: nowhere. */
  spans?: SpanSink;
  log: Log;
  /** Compares answers with those of the past; told by gRPC, too. */
  drift?: DriftMonitor;
  /** What the Open Inference Protocol tells of the versions; whoever computes tells it of batches. */
  statistics?: CountedInferences;
}

/** The application; needs no port. */
export function buildApp({
  model,
  images,
  evaluation,
  config,
  metrics,
  hasStarted,
  spans,
  log,
  drift = openDrift(config),
  statistics = new CountedInferences(),
}: AppParts): Express {
  const access = inferenceAccess(config.apiKeys);
  const admin = requireScope(access, 'admin');
  const reader = requireScope(access, 'infer', 'admin'); // who loads and labels versions must see what there is
  metrics.watch({ statuses: () => model.statuses(), drift: () => drift.figures() });
  statistics.watch(() => model.statuses().map(({ version }) => version));
  const limits = config;
  const count = countRequests(metrics.registry);
  const refuseForeign = refuseForeignPages(namesOf(config));
  const predict = predictHandler(model, { ...images, limits }, { ...limits, drift });
  const infer = inferHandler({ models: model, ...images, limits, statistics, drift });
  const routes = [
    count,
    probeRoutes({
      readiness: () => {
        const { version, device } = model.readyPredictor();
        return { model: referenceTo(version), device };
      },
      startup: () => {
        if (hasStarted()) return {};
        throw new RetryLater('not-ready', 'The version to serve has not been chosen yet.', 1);
      },
    }),
    healthRoutes(model),
    refuseForeign,
    labelsRoutes(model, config.modelsDirectory, admin),
    repositoryRoutes(model, reader, admin),
    modelsRoute(model, reader),
    guard(access),
    metricsRoute(metrics.registry),
    driftRoute(drift, model),
    openInferenceRoutes({ models: model, limits, statistics, infer }),
    predictRoute(predict),
    predictBatchRoute(model, evaluation),
    evaluateRoute(model, evaluation),
    evaluationsRoutes({ ...evaluation, closing: evaluation.slots.closing }),
    indexRoute(),
    openApiRoutes(inferenceApi),
  ];
  const { maximumUrlBytes } = config;
  const direct = {
    before: [count, refuseForeign],
    routes: directRoutes(requireScope(access, 'infer'), predict, infer),
  };
  return createApplication(log, routes, { formOf: errorFormOf, maximumUrlBytes, direct, ...(spans && { spans }) });
}

/** Those that carry the load. */
function directRoutes(
  mayInfer: RequestHandler,
  predict: RequestHandler,
  infer: RequestHandler<ModelPath>,
): DirectRoute[] {
  const inferred = [mayInfer, infer as unknown as RequestHandler];
  return [
    { method: 'POST', path: '/predict', handlers: [mayInfer, predict] },
    { method: 'POST', path: '/v2/models/:model/infer', handlers: inferred },
    { method: 'POST', path: '/v2/models/:model/versions/:version/infer', handlers: inferred },
  ];
}

/** Who may what, by path; a router whose routes differ in that asks by `requireScope` itself. */
function guard(access: InferenceAccess): RequestHandler {
  const router = Router();
  router.use(['/predict', '/evaluate', '/evaluations', '/models', '/v2'], requireScope(access, 'infer'));
  router.use(['/metrics', '/drift'], requireScope(access, 'metrics'));
  return router;
}

/** With keys any name: a page that brings none is refused by that. */
function namesOf({ apiKeys, host, allowedHosts }: InferenceConfig): HostNames | null {
  if (apiKeys.length > 0) return null;
  return withHosts(isLoopback(host) ? LOOPBACK_NAMES : NETWORK_NAMES, allowedHosts, 'INFERENCE_ALLOWED_HOSTS');
}

function indexRoute(): Router {
  const router = Router();
  router
    .route('/')
    .get((_request, response) => {
      response.json({
        service: 'Atelier inference',
        routes: [
          ...[
            'POST /predict',
            'POST /predict/batch',
            'POST /evaluate',
            'GET /evaluations',
            'GET /models',
            'GET /models/:name/labels',
            'GET /v2',
          ],
          ...['GET /healthz', 'GET /readyz', 'GET /startupz', 'GET /metrics', 'GET /drift', 'GET /docs'],
        ],
      });
    })
    .all(methodNotAllowed('GET', 'HEAD'));
  return router;
}
