import { CLASS_NAMES } from '@atelier/domain';
import { collectCounter, collectGauge, collectHistogram, type Distribution } from '@atelier/http';
import type { Registry } from 'prom-client';
import { VERSION_STATES, type VersionStatus } from '../models/models.ts';
import type { Predictor } from '../predictor/predictor.ts';
import { REFUSALS } from './observed-predictor.ts';
import type { WaitingWork } from './observers.ts';
import type { SpanCounts } from './otlp-exporter.ts';
import { residentBytes } from './resident-bytes.ts';
import { CONFIDENCES, ROWS, SECONDS, type VersionTally } from './version-tally.ts';

/** Where the numbers are. */
export interface MetricSources {
  tallies: () => Iterable<VersionTally>;
  /** By name of the metric and by the value of its only label. */
  counts: CountsByLabel;
  decodeSeconds: Distribution;
  eventLoopDelays: Distribution;
  predictors: () => Iterable<Predictor>;
  statuses: () => readonly VersionStatus[];
  waiting: () => WaitingWork;
  computePid: () => number | undefined;
  spans: () => SpanCounts;
}

interface CountedByLabel {
  label: string;
  help: string;
  from?: readonly string[];
}

/**
 * Counters with one label, whose value is one of few words. Alarms are on those that are 0 `from` the start: what a series
 * begins with is no increase to Prometheus.
 */
const COUNTERS = {
  batch_close_total: { label: 'reason', help: 'Batches by why they were computed and did not wait for more rows' },
  requests_cancelled_total: { label: 'stage', help: 'Requests whose client left, by where they were' },
  requests_refused_total: {
    label: 'code',
    help: 'Requests that were turned away before anything was computed, by code',
    from: REFUSALS,
  },
  engine_restarts_total: { label: 'reason', help: 'Engines that were replaced', from: ['died', 'stuck'] },
  model_swaps_total: { label: 'model', help: 'Times that another version became the stable one' },
  model_refusals_total: {
    label: 'code',
    help: 'Versions that were tried and are not served, by the check they failed',
  },
  shadow_images_total: {
    label: 'class',
    help: 'Images that a shadow computed as well, not counted as its requests: the same class as was sent, or another',
  },
  shadow_failures_total: {
    label: 'reason',
    help: 'Copies of requests that a shadow failed over, by code, or did not get',
  },
} as const satisfies Record<string, CountedByLabel>;
export type CountedName = keyof typeof COUNTERS;
export type CountsByLabel = Record<CountedName, Map<string, number>>;

export function emptyCounts(): CountsByLabel {
  const counts = Object.entries<CountedByLabel>(COUNTERS).map(([name, { from = [] }]) => {
    return [name, new Map(from.map((label) => [label, 0]))];
  });
  return Object.fromEntries(counts) as CountsByLabel;
}

const OF_VERSION = ['model', 'version'] as const;

/** The service's own metrics, in seconds, rows and requests. */
export function registerOwnMetrics(registry: Registry, sources: MetricSources): void {
  for (const [name, { label, help }] of Object.entries<{ label: string; help: string }>(COUNTERS)) {
    collectCounter(registry, {
      name,
      help,
      labels: [label],
      *series() {
        for (const [value, count] of sources.counts[name as CountedName]) yield [{ [label]: value }, count];
      },
    });
  }
  registerVersionMetrics(registry, sources);
  const whole = [
    ['inference_decode_seconds', 'From an image file to an image, waiting included', sources.decodeSeconds],
    ['event_loop_delay_seconds', 'How late the thread comes that answers requests', sources.eventLoopDelays],
  ] as const;
  for (const [name, help, distribution] of whole) {
    const { bounds } = distribution;
    collectHistogram(registry, { name, help, labels: [], bounds, series: () => [[{}, distribution]] });
  }
  collectCounter(registry, {
    name: 'trace_spans_total',
    help: 'Requests whose span a collector took, or that were dropped',
    labels: ['result'],
    series: () => Object.entries(sources.spans()).map(([result, count]) => [{ result }, count as number] as const),
  });
  registerState(registry, sources);
}

/** What each version has done. */
function registerVersionMetrics(registry: Registry, { tallies }: MetricSources): void {
  const histograms = [
    [
      'inference_queue_seconds',
      'From the request for a prediction to the closing of its batch',
      SECONDS,
      'queueSeconds',
    ],
    ['inference_compute_seconds', 'The run of a batch', SECONDS, 'computeSeconds'],
    ['inference_total_seconds', 'From the request for a prediction to its answer', SECONDS, 'totalSeconds'],
    ['inference_batch_rows', 'Rows of a batch, without padding', ROWS, 'batchRows'],
    ['prediction_confidence', 'Probability of the most probable class', CONFIDENCES, 'confidence'],
  ] as const;
  for (const [name, help, bounds, field] of histograms) {
    collectHistogram(registry, {
      name,
      help,
      labels: OF_VERSION,
      bounds,
      *series() {
        for (const tally of tallies()) yield [{ model: tally.model, version: tally.version }, tally[field]];
      },
    });
  }
  collectCounter(registry, {
    name: 'batch_padding_rows_total',
    help: 'Rows that were computed and that nobody asked for',
    labels: OF_VERSION,
    *series() {
      for (const { model, version, paddingRows } of tallies()) yield [{ model, version }, paddingRows];
    },
  });
  collectCounter(registry, {
    name: 'prediction_class_total',
    help: 'Images by their most probable class',
    labels: [...OF_VERSION, 'class'],
    *series() {
      for (const { model, version, classes } of tallies()) {
        for (const [index, name] of CLASS_NAMES.entries()) yield [{ model, version, class: name }, classes[index] ?? 0];
      }
    },
  });
}

/** What there is now. */
function registerState(registry: Registry, { predictors, statuses, waiting, computePid }: MetricSources): void {
  const queues = [
    ['queue_rows', 'Rows that wait for a batch or are computed', 'rows'],
    ['decoding_pictures', 'Image files that wait for the decoder or are in it', 'pictures'],
  ] as const;
  for (const [name, help, field] of queues) {
    collectGauge(registry, { name, help, labels: [], series: () => [[{}, waiting()[field]]] });
  }
  collectGauge(registry, {
    name: 'queue_ratio',
    help: 'How near what waits is to what is refused, of the fuller of both queues and by the nearer limit: 1 is there',
    labels: [],
    series: () => [[{}, waiting().ratio]],
  });
  collectGauge(registry, {
    name: 'compute_process_resident_memory_bytes',
    help: 'Of the process that decodes and computes, where the system says it',
    labels: [],
    *series() {
      const bytes = residentBytes(computePid());
      if (bytes !== undefined) yield [{}, bytes] as const;
    },
  });
  collectGauge(registry, {
    name: 'device_info',
    help: '1: what was asked for, what computes, and why they differ',
    labels: [...OF_VERSION, 'requested', 'actual', 'reason'],
    *series() {
      for (const { version, device } of predictors()) {
        const { requested, actual, reason } = device;
        yield [{ model: version.name, version: String(version.version), requested, actual, reason: reason ?? '' }, 1];
      }
    },
  });
  collectGauge(registry, {
    name: 'model_version_info',
    help: '1: the digest and the labels of each version that the service knows',
    labels: [...OF_VERSION, 'digest', 'labels'],
    *series() {
      for (const { version, labels } of statuses()) {
        const { name: model, manifest } = version;
        yield [{ model, version: String(version.version), digest: manifest.digest, labels: labels.join(',') }, 1];
      }
    },
  });
  collectGauge(registry, {
    name: 'model_version_state',
    help: '1 for the state that a version is in, 0 for the others',
    labels: [...OF_VERSION, 'state'],
    *series() {
      for (const { version, state: now } of statuses()) {
        const of = { model: version.name, version: String(version.version) };
        for (const state of VERSION_STATES) yield [{ ...of, state }, state === now ? 1 : 0];
      }
    },
  });
}
