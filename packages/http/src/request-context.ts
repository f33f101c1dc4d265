import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { DomainError } from '@atelier/domain';
import type { RequestHandler } from 'express';
import { deadlineExceeded } from './deadline-exceeded.ts';
import type { Log } from './log.ts';
import { isProbe } from './probes.ts';
import type { TraceContext } from './trace-context.ts';

/** What we take over from a caller: it ends up in headers, answers and log lines. */
const SANE_REQUEST_ID = /^[A-Za-z0-9._-]{1,128}$/;

/** A request's id: what its caller offers where that is sane, else a new one. */
export function requestIdFrom(offered: unknown): string {
  return typeof offered === 'string' && SANE_REQUEST_ID.test(offered) ? offered : randomUUID();
}

/** Gives each request an id, the caller's `X-Request-Id` where that is sane, and returns it in the same header. */
export const identifyRequest: RequestHandler = (request, response, next) => {
  const requestId = requestIdFrom(request.headers['x-request-id']);
  response.locals['requestId'] = requestId;
  response.setHeader('X-Request-Id', requestId);
  next();
};

/** `url-too-long` before anything is looked for in it: each route tries its pattern on the path. */
export function refuseLongUrls(maximumBytes: number): RequestHandler {
  return ({ url }, _response, next) => {
    if (url.length <= maximumBytes)
      next(); // of ASCII: the parser takes nothing else
    else
      throw new DomainError(
        'url-too-long',
        `Path and query have ${url.length} bytes; at most ${maximumBytes} are taken.`,
      );
  };
}

/** In a log line. */
const MAXIMUM_PATH_LENGTH = 1_024;

/** What handlers leave for the log line. */
interface LoggedLocals {
  requestId: string;
  trace: TraceContext;
  /** Of the problem that was answered. */
  code: string;
  /** The name of the key that let the request in. */
  key: string;
}

/** One line per request, when its answer has gone out or its client has left; without an answer it has no status. */
export function logRequests(log: Log): RequestHandler {
  return (request, response, next) => {
    const started = performance.now();
    // Read now: a router further down changes it.
    const { method } = request;
    const path = request.path.slice(0, MAXIMUM_PATH_LENGTH);
    response.once('close', () => {
      const { requestId, trace, code, key } = response.locals as Partial<LoggedLocals>;
      const line = {
        requestId,
        ...(trace === undefined ? {} : { traceId: trace.traceId, spanId: trace.spanId }),
        method,
        path,
        status: response.headersSent ? response.statusCode : null,
        code,
        key,
        durationMs: Math.round((performance.now() - started) * 100) / 100,
      };
      const message = response.writableFinished ? 'Answered' : 'Client left';
      log[isProbe(path) ? 'debug' : 'info'](line, message);
    });
    next();
  };
}

/**
 * Aborts when the client of an unanswered request leaves, and at `deadline` (in ms as `performance.now` counts) with
 * `deadline-exceeded`; a task that is given up may reject with the reason.
 */
export function clientLeaves(response: ServerResponse, deadline?: number): AbortSignal {
  const controller = new AbortController();
  const late = () => controller.abort(deadlineExceeded());
  const timer = deadline === undefined ? undefined : setTimeout(late, Math.max(0, deadline - performance.now()));
  response.once('close', () => {
    clearTimeout(timer);
    if (response.writableFinished) return;
    controller.abort(new DomainError('malformed-body', 'The client left before it was answered.'));
  });
  return controller.signal;
}
