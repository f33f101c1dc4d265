import { EvaluationReport } from '@atelier/evaluation';
import { EvaluationResource, EvaluationSummary } from '@atelier/inference';

/** A labelled set as the body of `POST /evaluate`. */
export type SetBody = Blob | FormData;

export function archiveBody(archive: Buffer): SetBody {
  return new Blob([new Uint8Array(archive)], { type: 'application/zip' });
}

export function idxBody({ images, labels }: { images: Buffer; labels: Buffer }): SetBody {
  const form = new FormData();
  form.set('images', new Blob([new Uint8Array(images)]), 'images');
  form.set('labels', new Blob([new Uint8Array(labels)]), 'labels');
  return form;
}

export interface MeasuredEvaluation {
  report: EvaluationReport;
  /** From before the first byte was sent until the answer was there. */
  seconds: number;
}

/** Has a set evaluated; anything but a report over all of `examples` is an error. */
export async function evaluated(port: number, body: SetBody, examples: number): Promise<MeasuredEvaluation> {
  const started = performance.now();
  const answer = await asked(port, '/evaluate', { method: 'POST', body }, 200);
  const seconds = (performance.now() - started) / 1000;
  const report = EvaluationReport.parse(JSON.parse(answer));
  if (report.examples === examples && report.unreadable.count === 0) return { report, seconds };
  throw new Error(`${report.examples} images were evaluated, ${report.unreadable.count} not; expected ${examples}.`);
}

/** An evaluation for which nobody waits, from when its set has arrived. */
export class StartedEvaluation {
  readonly #port: number;
  readonly #id: string;

  private constructor(port: number, id: string) {
    this.#port = port;
    this.#id = id;
  }

  static async start(port: number, body: SetBody): Promise<StartedEvaluation> {
    const headers = { Prefer: 'respond-async' };
    const answer = await asked(port, '/evaluate', { method: 'POST', body, headers }, 202);
    return new StartedEvaluation(port, EvaluationSummary.parse(JSON.parse(answer)).id);
  }

  /** Images so far; one that does not run any more is an error. */
  async images(): Promise<number> {
    const answer = await asked(this.#port, `/evaluations/${this.#id}`, {}, 200);
    const { state, progress } = EvaluationResource.parse(JSON.parse(answer));
    if (state === 'running') return progress.examples;
    throw new Error(`The evaluation is ${state} after ${progress.examples} images; it was to run on.`);
  }

  /** Resolves when the next one may begin. */
  async cancel(): Promise<void> {
    await asked(this.#port, `/evaluations/${this.#id}`, { method: 'DELETE' }, 204);
  }
}

async function asked(port: number, path: string, request: RequestInit, status: number): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, request);
  const text = await response.text();
  if (response.status === status) return text;
  throw new Error(`${path} was answered with ${response.status}: ${text}`);
}
