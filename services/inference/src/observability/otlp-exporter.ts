import { messageOf } from '@atelier/domain';
import type { FinishedSpan, Log, SpanSink } from '@atelier/http';
import { otlpRequest, type ServiceIdentity } from './otlp-request.ts';

/** Spans that wait to be sent; a collector that is away costs so much memory and no more. */
const MAXIMUM_WAITING = 4096;
const SPANS_PER_REQUEST = 512;

export interface OtlpOptions {
  /** Of a collector, for example `http://127.0.0.1:4318`; spans go to `/v1/traces` below it. */
  endpoint: string;
  service: ServiceIdentity;
  log: Log;
  /** How long a span waits for others. Default: 1 s. */
  intervalMs?: number;
  /** How long a collector may take, and `close` in all. Default: 5 s. */
  timeoutMs?: number;
}

/** What became of the spans. */
export interface SpanCounts {
  exported: number;
  /** There was no room, or the collector did not take them. */
  dropped: number;
}

/**
 * Sends spans to a collector by OTLP over HTTP in JSON (opentelemetry.io/docs/specs/otlp, section OTLP/HTTP), many at a
 * time, one request after the other. Requests are answered whatever becomes of their spans: nothing waits for a
 * collector, and what it does not take is dropped and counted. Our own 100 lines, because OpenTelemetry's packages for
 * this take longer to load than the service has to start.
 */
export class OtlpExporter implements SpanSink {
  readonly counts: SpanCounts = { exported: 0, dropped: 0 };
  readonly #url: string;
  readonly #options: Required<OtlpOptions>;
  #waiting: FinishedSpan[] = [];
  #sending: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isFailing = false;
  /** The request that is under way. */
  #request: AbortController | undefined;

  constructor(options: OtlpOptions) {
    this.#options = { intervalMs: 1_000, timeoutMs: 5_000, ...options };
    this.#url = `${options.endpoint.replace(/\/+$/, '')}/v1/traces`;
  }

  record(span: FinishedSpan): void {
    if (this.#waiting.length >= MAXIMUM_WAITING) {
      this.counts.dropped++;
      return;
    }
    this.#waiting.push(span);
    if (this.#waiting.length >= SPANS_PER_REQUEST) this.#send();
    else this.#timer ??= setTimeout(() => this.#send(), this.#options.intervalMs).unref();
  }

  /** Sends what waits, as far as the collector takes it in time. */
  async close(): Promise<void> {
    const late = new AbortController();
    const timer = setTimeout(() => {
      late.abort();
      this.#request?.abort(new Error('The service stops.')); // also one that has just begun
    }, this.#options.timeoutMs);
    while ((this.#waiting.length > 0 || this.#sending !== undefined) && !late.signal.aborted) {
      this.#send();
      await this.#sending;
    }
    clearTimeout(timer);
    clearTimeout(this.#timer);
    this.counts.dropped += this.#waiting.length;
    this.#waiting = [];
  }

  #send(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#sending !== undefined || this.#waiting.length === 0) return; // the next go when these have arrived
    const spans = this.#waiting.splice(0, SPANS_PER_REQUEST);
    this.#sending = this.#post(spans).finally(() => {
      this.#sending = undefined;
      if (this.#waiting.length > 0) this.#timer ??= setTimeout(() => this.#send(), this.#delay()).unref();
    });
  }

  /** Full requests go at once, unless the collector has just failed. */
  #delay(): number {
    return this.#waiting.length >= SPANS_PER_REQUEST && !this.#isFailing ? 0 : this.#options.intervalMs;
  }

  async #post(spans: readonly FinishedSpan[]): Promise<void> {
    const { service, log, timeoutMs } = this.#options;
    const request = (this.#request = new AbortController());
    const late = new Error(`It has not answered within ${timeoutMs} ms.`);
    const timer = setTimeout(() => request.abort(late), timeoutMs).unref();
    try {
      const response = await fetch(this.#url, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(otlpRequest(spans, service)),
        signal: request.signal,
        redirect: 'error',
      });
      await response.arrayBuffer();
      if (!response.ok) throw new Error(`It answers ${response.status}.`);
      this.counts.exported += spans.length;
      if (this.#isFailing) log.info('The trace collector takes spans again');
      this.#isFailing = false;
    } catch (error) {
      this.counts.dropped += spans.length;
      if (!this.#isFailing) log.warn({ err: error }, `The trace collector takes no spans: ${messageOf(error)}`);
      this.#isFailing = true;
    } finally {
      clearTimeout(timer);
    }
  }
}
