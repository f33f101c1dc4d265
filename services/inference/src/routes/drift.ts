import { methodNotAllowed } from '@atelier/http';
import { Router } from 'express';
import type { DriftMonitor } from '../drift/drift-monitor.ts';
import type { Models } from '../models/models.ts';
import type { DriftResponse } from '../contract/drift.ts';

/** How far answers have moved from those that the manifests tell of. */
export function driftRoute(drift: DriftMonitor, models: Pick<Models, 'statuses'>): Router {
  const router = Router();
  router
    .route('/drift')
    .get((_request, response) => {
      const ready = models.statuses().filter(({ state }) => state === 'READY');
      response.json(drift.report(ready.map(({ version }) => version)) satisfies DriftResponse);
    })
    .all(methodNotAllowed('GET', 'HEAD'));
  return router;
}
