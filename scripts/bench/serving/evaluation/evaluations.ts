import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { EvaluationReport } from '@atelier/evaluation';
import { EvaluationResource, EvaluationSummary } from '@atelier/inference';

/** A labelled set as the body of `POST /evaluate`. */
export interface SetBody {
  contentType: string;
  bytes: Buffer;
}

export function archiveBody(archive: Buffer): SetBody {
  return { contentType: 'application/zip', bytes: archive };
}

export async function idxBody({ images, labels }: { images: Buffer; labels: Buffer }): Promise<SetBody> {
  const form = new FormData();
  form.set('images', new Blob([new Uint8Array(images)]), 'images');
  form.set('labels', new Blob([new Uint8Array(labels)]), 'labels');
  const encoded = new Response(form);
  const contentType = encoded.headers.get('Content-Type') ?? '';
  return { contentType, bytes: Buffer.from(await encoded.arrayBuffer()) };
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

/** It has the lowest priority, so that on a busy machine this takes a while. */
const BEGIN_LIMIT_MS = 60_000;
const BEGIN_POLL_MS = 20;

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

  /** Resolves when its first images are evaluated, for which the service starts the process that decodes. */
  async begun(): Promise<void> {
    const end = performance.now() + BEGIN_LIMIT_MS;
    while ((await this.images()) === 0) {
      if (performance.now() > end) throw new Error(`No image was evaluated within ${BEGIN_LIMIT_MS} ms.`);
      await setTimeout(BEGIN_POLL_MS);
    }
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

interface Asked {
  method?: string;
  body?: SetBody;
  headers?: Record<string, string>;
}

/** By `node:http` and not by `fetch`, which takes a body in pieces and so costs the cores that it shares with the service. */
async function asked(
  port: number,
  path: string,
  { method = 'GET', body, headers = {} }: Asked,
  status: number,
): Promise<string> {
  const ofBody = body && { 'Content-Type': body.contentType, 'Content-Length': body.bytes.length };
  const sent = request({ host: '127.0.0.1', port, path, method, headers: { ...headers, ...ofBody } });
  sent.end(body?.bytes);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  const answer = await text(response);
  if (response.statusCode === status) return answer;
  throw new Error(`${path} was answered with ${response.statusCode}: ${answer}`);
}
