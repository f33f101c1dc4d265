import { DomainError } from '@atelier/domain';
import { methodNotAllowed } from '@atelier/http';
import { Router } from 'express';
import type { EvaluationResource, EvaluationSummary } from '../contract/evaluate.ts';
import type { Evaluations } from '../evaluation/evaluations.ts';
import { answerReport, type DrawPage, reportFormOf } from './answer-report.ts';
import { EvaluationStreams } from './evaluation-events.ts';

export interface EvaluationsRouteParts {
  evaluations: Evaluations;
  page: DrawPage;
  /** Ends all streams of events. */
  closing: AbortSignal;
}

/** Evaluations that were asked for with `Prefer: respond-async`: what has become of them, and their reports. */
export function evaluationsRoutes({ evaluations, page, closing }: EvaluationsRouteParts): Router {
  const router = Router();
  const streams = new EvaluationStreams(closing);
  router
    .route('/evaluations')
    .get((_request, response) => {
      const all = evaluations.list().map((evaluation): EvaluationSummary => evaluation.summary());
      response.json({ evaluations: all });
    })
    .all(methodNotAllowed('GET', 'HEAD'));
  router
    .route('/evaluations/:id')
    .get(async (request, response) => {
      const evaluation = evaluations.find(request.params.id);
      const form = reportFormOf(request);
      const { report } = evaluation;
      if (form === 'json') {
        response.vary('Accept').json({ ...evaluation.summary(), report } satisfies EvaluationResource);
        return;
      }
      if (report === null) {
        throw new DomainError('evaluation-unfinished', `The evaluation is ${evaluation.state} and has no report.`);
      }
      await answerReport(response, report, form, page);
    })
    .delete(async (request, response) => {
      await evaluations.remove(request.params.id);
      response.status(204).end();
    })
    .all(methodNotAllowed('GET', 'HEAD', 'DELETE'));
  router
    .route('/evaluations/:id/events')
    .get((request, response) => streams.send(evaluations.find(request.params.id), request, response))
    .all(methodNotAllowed('GET', 'HEAD'));
  return router;
}
