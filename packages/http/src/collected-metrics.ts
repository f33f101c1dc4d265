import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/**
 * Metrics that are kept as plain numbers where the work is done, and given Prometheus' form when somebody asks. A label
 * set of prom-client costs about a microsecond each time it is looked up, which is more than some requests have.
 */
export interface CollectedMetric<Label extends string, Value> {
  name: string;
  help: string;
  labels: readonly Label[];
  /** What there is now, one for each set of labels; asked at every scrape. */
  series: () => Iterable<readonly [labels: Record<Label, string>, value: Value]>;
}

/** Counts that only grow. */
export function collectCounter<Label extends string>(
  registry: Registry,
  { name, help, labels, series }: CollectedMetric<Label, number>,
): void {
  new Counter({
    name,
    help,
    labelNames: [...labels],
    registers: [registry],
    collect() {
      this.reset();
      for (const [of, value] of series()) this.inc(of, value);
    },
  });
}

/** Values that go up and down. */
export function collectGauge<Label extends string>(
  registry: Registry,
  { name, help, labels, series }: CollectedMetric<Label, number>,
): void {
  new Gauge({
    name,
    help,
    labelNames: [...labels],
    registers: [registry],
    collect() {
      this.reset();
      if (labels.length === 0) this.remove(); // `reset` would make it 0, where it has no value
      for (const [of, value] of series()) this.set(of, value);
    },
  });
}

/** Where `bounds` ascend, as the distributions' own do. */
export function collectHistogram<Label extends string>(
  registry: Registry,
  { bounds, ...metric }: CollectedMetric<Label, Distribution> & { bounds: readonly number[] },
): void {
  new CollectedHistogram(registry, bounds, metric);
}

/** How often values fell between bounds; adding one is a few comparisons. */
export class Distribution {
  readonly bounds: readonly number[];
  /** Per bound the values up to it and above the one before; the last is above all. */
  readonly counts: Float64Array;
  sum = 0;

  /** `bounds` ascend. */
  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Float64Array(bounds.length + 1);
  }

  add(value: number): void {
    const { bounds, counts } = this;
    let place = 0;
    while (place < bounds.length && value > (bounds[place] ?? 0)) place++;
    counts[place] = (counts[place] ?? 0) + 1;
    this.sum += value;
  }
}

/** A histogram of prom-client whose numbers are elsewhere: it has no other way to take counts than one value at a time. */
class CollectedHistogram<Label extends string> extends Histogram<Label> {
  readonly #metric: CollectedMetric<Label, Distribution>;

  constructor(registry: Registry, bounds: readonly number[], metric: CollectedMetric<Label, Distribution>) {
    const { name, help, labels } = metric;
    super({ name, help, labelNames: [...labels], buckets: [...bounds], registers: [registry] });
    this.#metric = metric;
  }

  /** What the registry asks for, and the base's `get` as well; it is not in prom-client's types. */
  getForPromString() {
    const { name, help, series } = this.#metric;
    const values = [...series()].flatMap(([labels, distribution]) => samplesOf(name, labels, distribution));
    return Promise.resolve({ name, help, type: 'histogram', values, aggregator: 'sum' });
  }
}

function samplesOf<Label extends string>(
  name: string,
  sharedLabels: Record<Label, string>,
  { bounds, counts, sum }: Distribution,
) {
  let total = 0;
  const buckets = [...counts].map((count, place) => ({
    metricName: `${name}_bucket`,
    sharedLabels,
    labels: { le: bounds[place] ?? '+Inf' },
    value: (total += count),
  }));
  return [
    ...buckets,
    { metricName: `${name}_sum`, sharedLabels, labels: {}, value: sum },
    { metricName: `${name}_count`, sharedLabels, labels: {}, value: total },
  ];
}

/** One more of what has this name. */
export function increment<Name>(counts: Map<Name, number>, name: Name): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
