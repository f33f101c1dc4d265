import { collectCounter, collectGauge } from '@atelier/http';
import type { Registry } from 'prom-client';
import type { VersionTally } from './version-tally.ts';

/** Why a request failed, in Triton's words, by our code; any other is `OTHER`. */
const REASONS: Readonly<Record<string, 'REJECTED' | 'CANCELED' | 'BACKEND'>> = {
  overloaded: 'REJECTED',
  'deadline-exceeded': 'REJECTED',
  'not-ready': 'REJECTED',
  'shutting-down': 'REJECTED',
  cancelled: 'CANCELED',
  'engine-lost': 'BACKEND',
  'engine-fault': 'BACKEND',
};
const FAILURE_REASONS = ['REJECTED', 'CANCELED', 'BACKEND', 'OTHER'] as const;

type Value = (tally: VersionTally) => number;

const COUNTERS: Record<string, [help: string, value: Value]> = {
  nv_inference_request_success: ['Number of successful inference requests', ({ answered }) => answered],
  nv_inference_count: ['Number of inferences performed, a row of a batch each', ({ rows }) => rows],
  nv_inference_exec_count: ['Number of model executions performed, a batch each', ({ batches }) => batches],
  nv_inference_request_duration_us: ['Cumulative request duration in µs', ({ requestMs }) => us(requestMs.total)],
  nv_inference_queue_duration_us: ['Cumulative time requests queued in µs', ({ requestMs }) => us(requestMs.queue)],
  nv_inference_compute_infer_duration_us: [
    'Cumulative compute infer duration in µs, with copying rows in and outputs out',
    ({ requestMs }) => us(requestMs.compute),
  ],
  nv_inference_compute_input_duration_us: ['Part of nv_inference_compute_infer_duration_us here', () => 0],
  nv_inference_compute_output_duration_us: ['Part of nv_inference_compute_infer_duration_us here', () => 0],
};

/**
 * The metrics of Triton Inference Server by its names and labels, so that its dashboards work unchanged (docs of
 * triton-inference-server/server, user_guide/metrics.md). Those of a GPU are left out: its driver's exporter has them.
 */
export function registerTritonMetrics(registry: Registry, tallies: () => Iterable<VersionTally>): void {
  const labels = ['model', 'version'] as const;
  function* of(value: Value) {
    for (const tally of tallies()) yield [{ model: tally.model, version: tally.version }, value(tally)] as const;
  }
  for (const [name, [help, value]] of Object.entries(COUNTERS)) {
    collectCounter(registry, { name, help, labels, series: () => of(value) });
  }
  collectCounter(registry, {
    name: 'nv_inference_request_failure',
    help: 'Number of failed inference requests',
    labels: [...labels, 'reason'],
    *series() {
      for (const tally of tallies()) {
        const { model, version } = tally;
        for (const reason of FAILURE_REASONS) yield [{ model, version, reason }, failuresOf(tally, reason)];
      }
    },
  });
  collectGauge(registry, {
    name: 'nv_inference_pending_request_count',
    help: 'Number of requests that wait for the model or are computed',
    labels,
    series: () => of(({ pending }) => pending),
  });
}

function failuresOf({ failures }: VersionTally, reason: (typeof FAILURE_REASONS)[number]): number {
  let sum = 0;
  for (const [code, count] of failures) if ((REASONS[code] ?? 'OTHER') === reason) sum += count;
  return sum;
}

/** Whole microseconds, as Triton's are. */
function us(durationMs: number): number {
  return Math.round(durationMs * 1000);
}
