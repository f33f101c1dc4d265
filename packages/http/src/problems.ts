import { DomainError, type ErrorCode, messageOf } from '@atelier/domain';
import type { ErrorRequestHandler, RequestHandler } from 'express';
import { answerAndHangUp, isStillSending } from './hang-up.ts';
import { InvalidRequest, type RequestFault } from './invalid-request.ts';
import type { Log } from './log.ts';
import { RetryLater } from './retry-later.ts';

interface Problem {
  status: number;
  title: string;
}

/**
 * What a client sees of each failure. A code that no request can cause is `internal`: raised while a request is
 * answered it is our fault, explained in the log and not in the answer. A code without a line here does not compile.
 */
export const PROBLEMS = {
  'unknown-recipe': { status: 404, title: 'No such recipe' },
  'invalid-recipe': { status: 422, title: 'The recipe does not match its schema' },
  'unknown-engine': { status: 422, title: 'No such engine' },
  'engine-unavailable': { status: 409, title: 'The engine is not available here' },
  'unknown-device': { status: 422, title: 'No such device' },
  'device-unavailable': { status: 409, title: 'The device is not available here' },
  'teacher-not-found': { status: 422, title: 'No such teacher' },
  'invalid-configuration': 'internal',
  'address-unavailable': 'internal',
  'dataset-not-found': { status: 409, title: 'The data set is not here' },
  'dataset-corrupt': 'internal',
  'dataset-mismatch': 'internal',
  'malformed-idx': { status: 422, title: 'The file is not IDX of the expected shape' },
  'malformed-csv': { status: 422, title: 'The file is not CSV of the expected form' },
  'malformed-onnx': 'internal',
  'malformed-tfjs-model': 'internal',
  'unsupported-layer': 'internal',
  'invalid-conversion-option': 'internal',
  'unsupported-operator': 'internal',
  'output-occupied': 'internal',
  'not-differentiable': { status: 409, title: 'The model has no gradient' },
  'source-mismatch': 'internal',
  'training-diverged': 'internal',
  'training-interrupted': 'internal',
  'training-crashed': 'internal',
  'disk-full': { status: 507, title: 'There is no room on the disk' },
  'run-not-found': { status: 404, title: 'No such run' },
  'run-file-not-found': { status: 404, title: 'The run has no such file' },
  'run-finished': { status: 409, title: 'The run is finished' },
  'run-unfinished': { status: 409, title: 'The run is not finished' },
  'run-in-use': { status: 409, title: 'Another process works on the run' },
  'illegal-transition': { status: 409, title: 'The run is not in a state for that' },
  'invalid-run': { status: 409, title: "The run's folder is damaged" },
  'invalid-checkpoint': 'internal',
  'search-not-found': { status: 404, title: 'No such search' },
  'search-unfinished': { status: 409, title: 'The search has not come to that yet' },
  'invalid-search': { status: 409, title: "The search's folder is damaged" },
  'parity-failed': { status: 409, title: 'The exported model is not proved' },
  'worse-than-published': { status: 409, title: 'The version that is published is better' },
  'model-not-found': { status: 404, title: 'No such model version' },
  'invalid-manifest': { status: 409, title: 'The manifest does not match its schema' },
  'digest-mismatch': 'internal',
  'contract-mismatch': 'internal',
  'golden-mismatch': { status: 409, title: 'The model does not give its golden answers' },
  'invalid-labels': { status: 409, title: 'The labels of the model are not valid' },
  'version-refused': { status: 409, title: 'The version cannot be served' },
  'repository-not-writable': { status: 409, title: 'The folder of the models cannot be written' },
  'malformed-request': { status: 400, title: 'The request is not HTTP as this service reads it' },
  'url-too-long': { status: 414, title: 'The address of the request is too long' },
  'malformed-json': { status: 400, title: 'The body is not JSON' },
  'malformed-multipart': { status: 400, title: 'The body is not multipart/form-data' },
  'malformed-body': { status: 400, title: 'The body could not be read' },
  'invalid-request': { status: 422, title: 'The request does not match its schema' },
  'idempotency-key-reused': { status: 422, title: 'The idempotency key came with another request before' },
  unauthorized: { status: 401, title: 'The request lacks the token of this service' },
  forbidden: { status: 403, title: 'The request may not do this' },
  'foreign-origin': { status: 403, title: 'The request comes from the web page of another site' },
  'missing-image': { status: 422, title: 'The request carries no image' },
  'undecodable-image': { status: 422, title: 'The image cannot be decoded' },
  'unsupported-media-type': { status: 415, title: 'This kind of content is not accepted' },
  'payload-too-large': { status: 413, title: 'The body is too large' },
  'image-too-large': { status: 413, title: 'The image has too many pixels' },
  'too-many-images': { status: 413, title: 'The request carries too many images' },
  'malformed-archive': { status: 422, title: 'The archive cannot be read' },
  'archive-too-large': { status: 413, title: 'The archive is too large' },
  'malformed-labels': { status: 422, title: 'The file of labels cannot be read' },
  'unsafe-entry': { status: 422, title: 'The entry leads out of the archive, or is no ordinary file' },
  'unreadable-entry': { status: 422, title: 'The entry cannot be read' },
  'entry-too-large': { status: 413, title: 'The entry is too large' },
  'nested-archive': { status: 422, title: 'The entry is an archive itself' },
  'duplicate-entry': { status: 422, title: 'Another entry has the same name' },
  'unlabelled-entry': { status: 422, title: 'Nothing says what the entry shows' },
  'missing-entry': { status: 422, title: 'A file that the labels name is not there' },
  'upload-timeout': { status: 408, title: 'The upload did not arrive in time' },
  'evaluation-not-found': { status: 404, title: 'No such evaluation' },
  'evaluation-unfinished': { status: 409, title: 'The evaluation has no report yet' },
  'no-examples': { status: 422, title: 'Not one labelled image could be read' },
  'route-not-found': { status: 404, title: 'No such route' },
  'method-not-allowed': { status: 405, title: 'This route does not take this method' },
  'unsupported-feature': { status: 501, title: 'This part of the protocol is not implemented' },
  'queue-full': { status: 429, title: 'Too many runs wait' },
  'queue-unavailable': { status: 503, title: 'The queue cannot be reached' },
  'too-many-streams': { status: 429, title: 'Too many streams of events are open' },
  'not-ready': { status: 503, title: 'The service is not ready' },
  'shutting-down': { status: 503, title: 'The service is stopping' },
  overloaded: { status: 429, title: 'More requests wait than are taken' },
  'deadline-exceeded': { status: 504, title: 'The request was not answered in the time it gave' },
  'engine-lost': { status: 503, title: 'The engine was lost over this request' },
  'engine-fault': { status: 500, title: 'The engine failed' },
  internal: { status: 500, title: 'Internal error' },
} as const satisfies Record<ErrorCode, Problem | 'internal'>;

/** What a client is told of a failure: RFC 9457, section 3. */
export interface ToldFailure extends Problem {
  type: string;
  detail?: string;
  errors?: RequestFault[];
  /** The request's id. */
  instance: unknown;
}

/** How a failure is written for the clients of one protocol. */
export type ErrorForm = (failure: ToldFailure) => { status: number; mediaType: string; body: object };

export const problemDetails: ErrorForm = (failure) => ({
  status: failure.status,
  mediaType: 'application/problem+json',
  body: failure,
});

/**
 * Answers with RFC 9457 problem details, or in the form that belongs to the request's path, at once, even while the
 * request's body is on its way. The last handler of an application; what it hides it writes to `log`.
 */
export function sendProblem(log: Log, formOf: (path: string) => ErrorForm = () => problemDetails): ErrorRequestHandler {
  // Express knows a handler of errors by its four parameters.
  // eslint-disable-next-line @typescript-eslint/no-unused-vars
  return (error: unknown, request, response, _next) => {
    const { code, ...specifics } = explain(error);
    const problem = problemOf(code);
    const instance: unknown = response.locals['requestId'];
    response.locals['code'] = code;
    if (problem.status >= 500 && !isWaiting(code)) {
      log.error({ err: error, requestId: instance, code }, messageOf(error));
    } else if (error instanceof Error && error.cause !== undefined) {
      log.debug({ err: error.cause, requestId: instance, code }, 'The cause of a refusal');
    }
    if (response.closed) return; // the client has left
    if (response.headersSent) {
      response.destroy(); // too late for an answer; a broken connection tells the client that it has none
      return;
    }
    if (error instanceof RetryLater) response.setHeader('Retry-After', String(error.retryAfterSeconds));
    const form = formOf(request.path);
    const { status, mediaType, body } = form({ type: `/problems/${code}`, ...problem, ...specifics, instance });
    const text = JSON.stringify(body);
    response.statusCode = status;
    response.setHeader('Content-Type', `${mediaType}; charset=utf-8`);
    if (isStillSending(request)) answerAndHangUp(request, response, text);
    else {
      request.resume(); // drops what comes yet, so that the connection can take its next request
      response.setHeader('Content-Length', Buffer.byteLength(text));
      response.end(text);
    }
  };
}

/** Answers whatever no route took. */
export const routeNotFound: RequestHandler = (request) => {
  throw new DomainError('route-not-found', `There is no ${request.path} here.`);
};

/** The last handler of a route: answers OPTIONS, and every method that is not `allowed` with 405. */
export function methodNotAllowed(...allowed: string[]): RequestHandler {
  return (request, response) => {
    response.set('Allow', [...allowed, 'OPTIONS'].join(', '));
    if (request.method === 'OPTIONS') {
      response.status(204).end();
      return;
    }
    throw new DomainError('method-not-allowed', `${request.path} takes ${allowed.join(', ')}; came ${request.method}.`);
  };
}

/** What anybody may be told of a failure, whatever it was; an internal one keeps its words for the log. */
export function tellFailure(error: unknown): Omit<ToldFailure, 'instance'> {
  const { code, ...specifics } = explain(error);
  return { type: `/problems/${code}`, ...problemOf(code), ...specifics };
}

interface Explained {
  code: ErrorCode;
  detail?: string;
  errors?: RequestFault[];
  [member: string]: unknown;
}

/** A `ZodError` or any other foreign error is ours; only what the edge itself found wrong is the client's. */
function explain(error: unknown): Explained {
  if (error instanceof InvalidRequest) return { code: error.code, detail: error.message, errors: error.faults };
  if (error instanceof DomainError) {
    if (PROBLEMS[error.code] === 'internal') return { code: 'internal' };
    return { ...error.details, code: error.code, detail: error.message };
  }
  // What Express says of a path that it cannot decode.
  if (error instanceof URIError) return { code: 'malformed-request', detail: 'The path is not percent-encoded UTF-8.' };
  return { code: 'internal' };
}

function problemOf(code: ErrorCode): Problem {
  const problem = PROBLEMS[code];
  return problem === 'internal' ? PROBLEMS.internal : problem;
}

/** States that pass and that the service has logged itself, once, when it entered them. */
function isWaiting(code: ErrorCode): boolean {
  return ['not-ready', 'shutting-down', 'engine-lost', 'deadline-exceeded'].includes(code);
}
