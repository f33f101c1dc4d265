import {
  childContext,
  formatTraceparent,
  type Log,
  ownAttributes,
  parseTraceparent,
  requestIdFrom,
  type RequestTimings,
  type SpanSink,
  type TraceContext,
  traceStateFrom,
} from '@atelier/http';
import { type Metadata, status as STATUS } from '@grpc/grpc-js';
import { isHealth } from './access.ts';
import { isServerFault, statusWord, type StatusWord } from './status.ts';

/** Of which method a call is; `none` of one that there is not. */
export interface CalledMethod {
  type: 'unary' | 'server_stream' | 'client_stream' | 'bidi_stream';
  service: string;
  method: string;
}

/** Is told of every call. */
export interface CallObserver {
  started(method: CalledMethod): void;
  /** `code` is the one of docs/errors.md, if the call failed with one. */
  ended(method: CalledMethod, outcome: { status: StatusWord; code: string | undefined; durationMs: number }): void;
}

export const NOBODY: CallObserver = { started: () => undefined, ended: () => undefined };

/** Who is told what of a call. */
export interface CallWitnesses {
  log: Log;
  calls: CallObserver;
  /** Where each call goes as a span of a trace. */
  spans: SpanSink | undefined;
}

/** Health and readiness are asked every few seconds for ever; their lines would bury the others. */
const PROBE = /\/(Server(Live|Ready)|ModelReady)$/;

/** By the metadata that came with them: all that the library hands from the one end of a call to the other. */
const RECORDS = new WeakMap<Metadata, CallRecord>();

/** What is known of a call, and told when it has ended. */
export class CallRecord {
  requestId = '';
  /** The name of the key that let it in. */
  key: string | undefined;
  /** What was measured of it: attributes of its span. */
  readonly timings: RequestTimings = {};
  readonly #path: string;
  readonly #method: CalledMethod;
  readonly #witnesses: CallWitnesses;
  readonly #started = performance.now();
  #received: Metadata | undefined;
  #parent: TraceContext | undefined;
  #trace: TraceContext | undefined;
  #answer: { code: STATUS; errorCode: string | undefined } | undefined;

  constructor(path: string, method: CalledMethod, witnesses: CallWitnesses) {
    this.#path = path;
    this.#method = method;
    this.#witnesses = witnesses;
    witnesses.calls.started(method);
  }

  /** Of the call that came with this metadata. */
  static of(received: Metadata): CallRecord {
    const record = RECORDS.get(received);
    if (record === undefined) throw new TypeError('The metadata of this call is not what it came with.');
    return record;
  }

  /** Since the call came, in ms. */
  get elapsedMs(): number {
    return performance.now() - this.#started;
  }

  /** Gives the call an id, the caller's `x-request-id` where that is sane, and takes over the trace that it belongs to. */
  identify(received: Metadata): void {
    this.#received = received;
    RECORDS.set(received, this);
    this.requestId = requestIdFrom(textIn(received, 'x-request-id'));
    received.set('x-request-id', this.requestId);
    this.#parent = parseTraceparent(textIn(received, 'traceparent'));
    this.#trace = this.#witnesses.spans === undefined ? this.#parent : childContext(this.#parent);
  }

  /** Puts the id and the trace into the metadata that goes back. */
  sign(metadata: Metadata): void {
    metadata.set('x-request-id', this.requestId);
    if (this.#trace !== undefined) metadata.set('traceparent', formatTraceparent(this.#trace));
  }

  /** The call is to be answered with this status; the first counts. */
  answered(code: STATUS, metadata: Metadata): void {
    this.#answer ??= { code, errorCode: textIn(metadata, 'x-error-code') };
  }

  /** The call has ended with the status `code`, or without one: its client left. */
  end(code: STATUS | undefined): void {
    const { log, calls } = this.#witnesses;
    const durationMs = this.elapsedMs;
    const errorCode = this.#answer?.code === code ? this.#answer?.errorCode : undefined;
    calls.ended(this.#method, { status: statusWord(code ?? STATUS.CANCELLED), code: errorCode, durationMs });
    const line = {
      requestId: this.requestId,
      traceId: this.#trace?.traceId,
      spanId: this.#trace?.spanId,
      method: this.#path,
      status: code === undefined ? null : STATUS[code],
      code: errorCode,
      key: this.key,
      durationMs: Math.round(durationMs * 100) / 100,
    };
    const isProbe = isHealth(this.#path) || PROBE.test(this.#path);
    log[isProbe ? 'debug' : 'info'](line, code === undefined ? 'Client left' : 'Answered');
    this.#recordSpan(code ?? STATUS.CANCELLED, errorCode);
  }

  #recordSpan(code: STATUS, errorCode: string | undefined): void {
    const { spans } = this.#witnesses;
    const received = this.#received;
    if (this.#trace?.sampled !== true || spans === undefined || received === undefined) return;
    const { service, method } = this.#method;
    // Names of OpenTelemetry's semantic conventions where there are some.
    const attributes = {
      'rpc.system': 'grpc',
      'rpc.service': service,
      'rpc.method': method,
      'rpc.grpc.status_code': code,
      ...ownAttributes({ requestId: this.requestId, code: errorCode, timings: this.timings }),
    };
    spans.record({
      context: this.#trace,
      parentSpanId: this.#parent?.spanId,
      traceState: this.#parent === undefined ? undefined : traceStateFrom(textIn(received, 'tracestate')),
      name: `${service}/${method}`,
      startedMs: performance.timeOrigin + this.#started,
      endedMs: performance.timeOrigin + performance.now(),
      attributes,
      failed: isServerFault(code),
    });
  }
}

/** The value of a key that came once. */
export function textIn(metadata: Metadata, key: string): string | undefined {
  const [value, ...others] = metadata.get(key);
  return typeof value === 'string' && others.length === 0 ? value : undefined;
}
