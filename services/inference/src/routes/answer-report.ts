import { type EvaluationReport, reportCsv } from '@atelier/evaluation';
import type { Request, Response } from 'express';

/** Draws a report as a page; see `BulkProcess.page`. */
export type DrawPage = (report: EvaluationReport) => Promise<string>;

const FORMS = ['json', 'csv', 'html'] as const;
export type ReportForm = (typeof FORMS)[number];

/** The form that a request asks for by `Accept`; JSON where it says nothing, or wants none of them. */
export function reportFormOf(request: Request): ReportForm {
  const form = request.accepts([...FORMS]);
  return FORMS.find((known) => known === form) ?? 'json';
}

/** Answers a report in a form. */
export async function answerReport(
  response: Response,
  report: EvaluationReport,
  form: ReportForm,
  draw: DrawPage,
): Promise<void> {
  response.vary('Accept');
  if (form === 'json') response.json(report);
  else if (form === 'csv') response.type('text/csv').send(reportCsv(report));
  else
    response
      .setHeader('Content-Security-Policy', PAGE_POLICY)
      .type('html')
      .send(await draw(report));
}

/** The page has its styles and pictures in it, and no script. */
const PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";
