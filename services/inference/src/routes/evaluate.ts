import { clientLeaves, methodNotAllowed, parseQuery, timingsOf } from '@atelier/http';
import { type RequestHandler, Router } from 'express';
import { EvaluateQuery } from '../contract/evaluate.ts';
import type { BulkParts } from '../evaluation/answer-files.ts';
import { evaluate } from '../evaluation/evaluate.ts';
import type { EvaluationSlots } from '../evaluation/slots.ts';
import type { Models } from '../models/models.ts';
import { pinVersion } from '../models/pinned-version.ts';
import { setProvenance } from '../provenance.ts';
import { answerReport, type DrawPage, reportFormOf } from './answer-report.ts';
import { receiveSet, type ReceiveSetParts } from './receive-set.ts';
import { deadlineOf } from './request-timeout.ts';

export interface EvaluationParts extends ReceiveSetParts, BulkParts {
  slots: EvaluationSlots;
  page: DrawPage;
}

/** How good is a version on these labelled images? */
export function evaluateRoute(models: Models, parts: EvaluationParts): Router {
  const handler: RequestHandler = async (request, response) => {
    const { model: name, version, label, against: other, limit } = parseQuery(EvaluateQuery, request.query);
    const pinned = pinVersion(models, { name, version, label });
    const { predictor } = pinned;
    const against = other === undefined ? undefined : pinVersion(models, { name, version: other });
    const form = reportFormOf(request);
    const signal = AbortSignal.any([clientLeaves(response, deadlineOf(request)), parts.slots.closing]);
    const timingsMs = timingsOf(response);
    const report = await parts.slots.during(async () => {
      const startedAt = performance.now();
      const set = await receiveSet(request, parts, signal);
      timingsMs['receive'] = performance.now() - startedAt;
      try {
        const task = { set, predictor, against: against?.predictor, limit, signal, startedAt, timingsMs };
        return await evaluate(task, parts);
      } finally {
        await set.close();
      }
    });
    for (const version_ of [pinned, against]) version_?.requireSame();
    setProvenance(response, predictor);
    await answerReport(response, report, form, parts.page);
  };
  const router = Router();
  router.route('/evaluate').post(handler).all(methodNotAllowed('POST'));
  return router;
}
