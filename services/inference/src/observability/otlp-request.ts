import type { FinishedSpan } from '@atelier/http';

export interface ServiceIdentity {
  name: string;
  version: string;
}

/** `SPAN_KIND_SERVER` and `STATUS_CODE_ERROR` of opentelemetry/proto/trace/v1/trace.proto. */
const KIND_SERVER = 2;
const STATUS_ERROR = 2;

/**
 * An `ExportTraceServiceRequest` in the JSON of OTLP: names in lower camel case, ids in hexadecimal, 64-bit numbers as
 * text (opentelemetry.io/docs/specs/otlp, "JSON Protobuf Encoding").
 */
export function otlpRequest(spans: readonly FinishedSpan[], { name, version }: ServiceIdentity) {
  const resource = { attributes: attributes({ 'service.name': name, 'service.version': version }) };
  return {
    resourceSpans: [{ resource, scopeSpans: [{ scope: { name: 'atelier', version }, spans: spans.map(otlpSpan) }] }],
  };
}

function otlpSpan({ context, parentSpanId, traceState, name, startedMs, endedMs, failed, ...span }: FinishedSpan) {
  return {
    traceId: context.traceId,
    spanId: context.spanId,
    ...(parentSpanId === undefined ? {} : { parentSpanId }),
    ...(traceState === undefined ? {} : { traceState }),
    name,
    kind: KIND_SERVER,
    startTimeUnixNano: nanoseconds(startedMs),
    endTimeUnixNano: nanoseconds(endedMs),
    attributes: attributes(span.attributes),
    status: failed ? { code: STATUS_ERROR } : {},
  };
}

function attributes(values: Readonly<Record<string, string | number>>) {
  return Object.entries(values).map(([key, value]) => ({ key, value: anyValue(value) }));
}

function anyValue(value: string | number) {
  if (typeof value === 'string') return { stringValue: value };
  return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}

/** Microseconds are what a clock of a double since 1970 has. */
function nanoseconds(ms: number): string {
  return `${Math.round(ms * 1000)}000`;
}
