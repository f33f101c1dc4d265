import { randomFillSync } from 'node:crypto';

/** Where a request stands in a trace: W3C Trace Context, https://www.w3.org/TR/trace-context/. */
export interface TraceContext {
  /** 32 hexadecimal digits, not all 0. */
  traceId: string;
  /** 16 hexadecimal digits, not all 0: the span of whoever sent the request, or our own. */
  spanId: string;
  /** Whether whoever sent it records its trace. */
  sampled: boolean;
}

/** Section 3.2.2; later versions may append to these four fields, version 00 may not. */
const TRACEPARENT = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** The context in a `traceparent` header; undefined for none and for one that is invalid, which must be ignored (section 3.2.2.3). */
export function parseTraceparent(header: string | string[] | undefined): TraceContext | undefined {
  if (typeof header !== 'string' || header.length > 512) return undefined;
  const [, version, traceId, spanId, flags, more] = TRACEPARENT.exec(header) ?? [];
  if (traceId === undefined || spanId === undefined || (version === '00' && more !== undefined)) return undefined;
  return { traceId, spanId, sampled: (Number.parseInt(flags ?? '0', 16) & 1) === 1 };
}

/** As version 00 writes it. */
export function formatTraceparent({ traceId, spanId, sampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;
}

/** The context of work that `parent` caused, or that nobody did: a trace of its own, which is recorded. */
export function childContext(parent: TraceContext | undefined): TraceContext {
  if (parent !== undefined) return { ...parent, spanId: randomId(8) };
  return { traceId: randomId(16), spanId: randomId(8), sampled: true };
}

const RANDOM = Buffer.alloc(4096);
let used = RANDOM.length;

/** Random bytes in hexadecimal; a call into OpenSSL for each would cost more than the span it names. */
function randomId(bytes: number): string {
  if (used + bytes > RANDOM.length) {
    randomFillSync(RANDOM);
    used = 0;
  }
  const id = RANDOM.toString('hex', used, (used += bytes));
  return /^0+$/.test(id) ? randomId(bytes) : id;
}
