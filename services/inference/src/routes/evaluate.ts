import { clientLeaves, methodNotAllowed, parseQuery, timingsOf } from '@atelier/http';
import { type Request, type RequestHandler, Router } from 'express';
import { EvaluateQuery } from '../contract/evaluate.ts';
import type { BulkParts } from '../evaluation/answer-files.ts';
import { evaluate, type Progress, totalOf } from '../evaluation/evaluate.ts';
import type { Evaluations } from '../evaluation/evaluations.ts';
import type { Release } from '../evaluation/places.ts';
import type { EvaluationSlots } from '../evaluation/slots.ts';
import type { LabelledSet } from '../evaluation/sources/labelled-set.ts';
import { referenceTo } from '../model-reference.ts';
import type { Models } from '../models/models.ts';
import { pinVersion } from '../models/pinned-version.ts';
import { setProvenance } from '../provenance.ts';
import { answerReport, type DrawPage, reportFormOf } from './answer-report.ts';
import { receiveSet, type ReceiveSetParts } from './receive-set.ts';
import { deadlineOf } from './request-timeout.ts';

export interface EvaluationParts extends ReceiveSetParts, BulkParts {
  slots: EvaluationSlots;
  page: DrawPage;
  /** Those for which no request waits. */
  evaluations: Evaluations;
}

/** How good is a version on these labelled images? */
export function evaluateRoute(models: Models, parts: EvaluationParts): Router {
  const handler: RequestHandler = async (request, response) => {
    const { model: name, version, label, against: other, limit } = parseQuery(EvaluateQuery, request.query);
    const pinned = pinVersion(models, { name, version, label });
    const { predictor } = pinned;
    const against = other === undefined ? undefined : pinVersion(models, { name, version: other });
    const leaving = clientLeaves(response, deadlineOf(request));
    const form = reportFormOf(request);
    const startedAt = performance.now();
    const timingsMs = timingsOf(response);
    const { slots } = parts;
    const arrived = slots.upload();
    const receive = async (stopping: AbortSignal) => {
      const set = await receiveSet(request, parts, AbortSignal.any([leaving, stopping])).catch((error: unknown) => {
        arrived();
        throw error;
      });
      timingsMs['receive'] = performance.now() - startedAt;
      return set;
    };
    const measure = async (set: LabelledSet, signal: AbortSignal, onProgress?: (progress: Progress) => void) => {
      const task = { set, predictor, against: against?.predictor, limit, signal, startedAt, timingsMs };
      let release: Release | undefined;
      try {
        release = await slots.turn(signal).finally(arrived);
        timingsMs['wait'] = performance.now() - startedAt - (timingsMs['receive'] ?? 0);
        const report = await evaluate({ ...task, ...(onProgress && { onProgress }) }, parts);
        for (const version_ of [pinned, against]) version_?.requireSame();
        return report;
      } finally {
        await set.close();
        release?.();
      }
    };
    if (prefersAsync(request)) {
      const set = await receive(slots.ending);
      const total = totalOf({ set, limit });
      const started = parts.evaluations.start(referenceTo(predictor.version), total, (cancelled, onProgress) =>
        measure(set, AbortSignal.any([cancelled, slots.ending]), onProgress),
      );
      response.status(202).setHeader('Location', `/evaluations/${started.id}`);
      response.setHeader('Preference-Applied', 'respond-async');
      response.json(started.summary());
      return;
    }
    const report = await measure(await receive(slots.closing), AbortSignal.any([leaving, slots.closing]));
    setProvenance(response, predictor);
    await answerReport(response, report, form, parts.page);
  };
  const router = Router();
  router.route('/evaluate').post(handler).all(methodNotAllowed('POST'));
  return router;
}

/** RFC 7240, section 4.1. */
function prefersAsync(request: Request): boolean {
  return (request.get('Prefer') ?? '').split(',').some((preference) => /^\s*respond-async\s*(;|$)/i.test(preference));
}
