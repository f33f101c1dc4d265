import type { ServerResponse } from 'node:http';
import type { RequestHandler } from 'express';
import { routeOf } from './metrics.ts';
import { childContext, formatTraceparent, parseTraceparent, type TraceContext } from './trace-context.ts';

/** A piece of work of this service in a trace, when it is over. Times are in ms since 1970. */
export interface FinishedSpan {
  context: TraceContext;
  /** The span that caused it, if one did. */
  parentSpanId: string | undefined;
  /** Of other tracers, handed on as it came (section 3.3). */
  traceState: string | undefined;
  name: string;
  startedMs: number;
  endedMs: number;
  attributes: Readonly<Record<string, string | number>>;
  /** Whether it failed by a fault of ours. */
  failed: boolean;
}

/** Where spans go. Neither call waits or throws. */
export interface SpanSink {
  record(span: FinishedSpan): void;
}

/** What a route measured of its request, in ms by name: attributes of its span. */
export type RequestTimings = Record<string, number>;

export function timingsOf(response: ServerResponse & { locals?: Record<string, unknown> }): RequestTimings {
  return ((response.locals ??= {})['timings'] ??= {}) as RequestTimings;
}

/**
 * Takes over the trace that a request belongs to, for log lines and in the answer's own `traceparent`. With a `sink` the
 * request is a span of its own, in a trace of its own where none came; whoever sent it decides whether that is recorded.
 */
export function traceRequests(sink: SpanSink | undefined): RequestHandler {
  if (sink === undefined) {
    return ({ headers }, response, next) => {
      const context = parseTraceparent(headers.traceparent);
      if (context !== undefined) carry(context, response);
      next();
    };
  }
  return (request, response, next) => {
    const { method, path, headers } = request;
    const parent = parseTraceparent(headers.traceparent);
    const context = childContext(parent);
    carry(context, response);
    if (context.sampled) {
      const startedMs = performance.timeOrigin + performance.now();
      response.once('close', () => {
        sink.record({
          context,
          parentSpanId: parent?.spanId,
          traceState: parent === undefined ? undefined : traceStateFrom(headers['tracestate']),
          name: `${method} ${routeOf(request)}`,
          startedMs,
          endedMs: performance.timeOrigin + performance.now(),
          attributes: attributesOf(method, path, response),
          failed: response.statusCode >= 500,
        });
      });
    }
    next();
  };
}

function carry(context: TraceContext, response: Parameters<RequestHandler>[1]): void {
  response.locals['trace'] = context;
  response.setHeader('traceparent', formatTraceparent(context));
}

/** Names of OpenTelemetry's semantic conventions where there are some. */
function attributesOf(
  method: string,
  path: string,
  { locals, headersSent, statusCode }: Parameters<RequestHandler>[1],
): Record<string, string | number> {
  const attributes: Record<string, string | number> = { 'http.request.method': method, 'url.path': path.slice(0, 256) };
  if (headersSent) attributes['http.response.status_code'] = statusCode;
  return { ...attributes, ...ownAttributes(locals as Answered) };
}

/** What is known of a request when it has been answered, over whichever protocol. */
interface Answered {
  requestId?: string | undefined;
  /** Of the failure, if it failed with one. */
  code?: string | undefined;
  timings?: RequestTimings;
}

/** The attributes of a span that are the same over every protocol. */
export function ownAttributes({ requestId, code, timings = {} }: Answered): Record<string, string | number> {
  const attributes: Record<string, string | number> = {};
  if (requestId !== undefined) attributes['atelier.request_id'] = requestId;
  if (code !== undefined) attributes['error.type'] = code;
  for (const [name, value] of Object.entries(timings)) attributes[`atelier.${name}`] = value;
  return attributes;
}

/** What other tracers hand on with a trace, where it is as short as it must be to be handed on by everybody. */
export function traceStateFrom(offered: unknown): string | undefined {
  return typeof offered === 'string' && offered.length <= 512 ? offered : undefined;
}
