import { once } from 'node:events';
import { DomainError } from '@atelier/domain';
import { clientLeaves, methodNotAllowed, parseQuery } from '@atelier/http';
import { type RequestHandler, type Response, Router } from 'express';
import type { ImageOptions } from '../contract/image.ts';
import { type BatchLine, PredictBatchQuery } from '../contract/predict-batch.ts';
import { type BulkParts, carriedBy, decodeInTurns, predictInTurns } from '../evaluation/answer-files.ts';
import { inOrder } from '../evaluation/in-order.ts';
import type { EvaluationSlots } from '../evaluation/slots.ts';
import type { NamedFile } from '../evaluation/sources/labelled-set.ts';
import type { Models } from '../models/models.ts';
import { pinVersion } from '../models/pinned-version.ts';
import type { Predictor } from '../predictor/predictor.ts';
import { setProvenance } from '../provenance.ts';
import { rank } from '../rank.ts';
import { addImageFacts } from './image-facts.ts';
import { receiveBatch, type ReceiveBatchParts } from './receive-batch.ts';
import { deadlineOf } from './request-timeout.ts';

export interface PredictBatchParts extends ReceiveBatchParts, BulkParts {
  slots: EvaluationSlots;
}

/** Parts in work at a time: while one is decoded another is computed, and no more wait for a client that does not read. */
const PARTS_IN_WORK = 3;

interface Wanted {
  predictor: Predictor;
  top: number;
  preview: boolean;
  options: ImageOptions;
  signal: AbortSignal;
}

/** What is in each of these many pictures? A line of JSON for each, in their order, as soon as it is known. */
export function predictBatchRoute(models: Models, parts: PredictBatchParts): Router {
  const handler: RequestHandler = async (request, response) => {
    const query = parseQuery(PredictBatchQuery, request.query);
    const { top, model: name, version, label, preview, polarity, crop } = query;
    const requestId = response.locals['requestId'] as string;
    const pinned = pinVersion(models, { name, version, label, requestId });
    const leaving = clientLeaves(response, deadlineOf(request));
    const release = parts.slots.batch();
    const over = new AbortController();
    const signal = AbortSignal.any([leaving, parts.slots.closing, over.signal]);
    const { predictor } = pinned;
    const wanted = { predictor, top, preview, options: { polarity, crop }, signal };
    const files = receiveBatch(request, parts, signal);
    let count = 0;
    try {
      for await (const lines of inOrder(files, PARTS_IN_WORK, (part) => answered(part, wanted, parts))) {
        signal.throwIfAborted();
        pinned.requireSame();
        if (!response.headersSent) begin(response, predictor);
        const placed = lines.map((line) => ({ index: count++, ...line }));
        await write(response, placed, signal);
      }
    } finally {
      over.abort(); // whoever still waits for the client need not
      release();
    }
    response.end();
  };
  const router = Router();
  router.route('/predict/batch').post(handler).all(methodNotAllowed('POST'));
  return router;
}

type Unplaced = BatchLine extends infer Line ? (Line extends unknown ? Omit<Line, 'index'> : never) : never;

/** The lines of a part, without their places. */
async function answered(files: readonly NamedFile[], wanted: Wanted, bulk: BulkParts): Promise<Unplaced[]> {
  const { predictor, top, preview, options, signal } = wanted;
  const packed = files.flatMap((one) => ('file' in one ? [one.file] : []));
  const decoded = await decodeInTurns(packed, bulk, options, signal);
  const outputs = await predictInTurns(carriedBy(decoded), predictor, bulk.turns, signal);
  const predictions = rank(outputs.probabilities, top, outputs.judgements);
  addImageFacts(predictions, outputs.facts, preview ? outputs.images : undefined);
  const results = decoded.map((one) => (one instanceof DomainError ? one : predictions.shift()));
  return files.map((one) => {
    const { name } = one;
    if ('code' in one) return { name, error: { code: one.code, detail: one.message } };
    const result = results.shift();
    if (result instanceof DomainError) return { name, error: { code: result.code, detail: result.message } };
    if (result === undefined) throw new RangeError('Fewer predictions than pictures.');
    return { name, ...result };
  });
}

function begin(response: Response, predictor: Predictor): void {
  setProvenance(response, predictor);
  response.setHeader('Content-Type', 'application/x-ndjson');
  response.setHeader('X-Accel-Buffering', 'no');
}

/** Resolves when the client has taken enough of it. */
async function write(response: Response, lines: readonly object[], signal: AbortSignal): Promise<void> {
  const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
  if (!response.write(text)) await once(response, 'drain', { signal });
}
