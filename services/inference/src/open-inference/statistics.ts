import type { PublishedVersion } from '@atelier/model-repository';
import type { ComputedBatch } from '../batching/observer.ts';

type VersionName = Pick<PublishedVersion, 'name' | 'version'>;

/** How long one request took, and how many images it had. */
export interface AnsweredRequest {
  count: number;
  /** Reading and decoding its images. */
  inputMs: number;
  /** Waiting and computing. */
  predictMs: number;
  /** Making its tensors. */
  outputMs: number;
}

/** Who tells what happens; cheap, since every request calls it. */
export interface InferenceStatistics {
  answered(version: VersionName, request: AnsweredRequest): void;
  /** `durationMs` counts from the arrival. */
  failed(version: VersionName, durationMs: number): void;
  /** From whoever forms batches. Where nobody says anything, each request counts as one run, which did not wait. */
  computed(batch: Pick<ComputedBatch, 'rows' | 'queueMs' | 'computeMs'> & { version: VersionName }): void;
}

/** Triton's extension `statistics`: how often and how long together, in nanoseconds. */
export interface CountedTime {
  count: number;
  ns: number;
}

export interface BatchStatistics {
  batch_size: number;
  compute_input: CountedTime;
  compute_infer: CountedTime;
  compute_output: CountedTime;
}

/** One version, as the extension writes it. */
export interface ModelStatistics {
  name: string;
  version: string;
  /** When the last image was computed, in ms since 1970; 0: none. */
  last_inference: number;
  /** Images that were computed, whatever route they came by. */
  inference_count: number;
  /** Runs of the engine: `inference_count` through this is the mean batch. */
  execution_count: number;
  inference_stats: Record<
    'success' | 'fail' | 'queue' | 'compute_input' | 'compute_infer' | 'compute_output',
    CountedTime
  >;
  batch_stats: BatchStatistics[];
}

/** Sums in ms, which `of` turns into nanoseconds. */
interface Counters {
  lastInference: number;
  images: number;
  answered: number;
  answeredMs: number;
  failed: number;
  failedMs: number;
  inputMs: number;
  predictMs: number;
  outputMs: number;
  runs: number;
  /** In the runs, of this protocol or not. */
  ranImages: number;
  /** Of the requests that were in the runs. */
  ranRequests: number;
  queueMs: number;
  inferMs: number;
  batches: Map<number, { runs: number; inferMs: number }>;
}

/**
 * Counts since the start of the service. A version that is unloaded keeps its numbers as long as it is known; when the next
 * one comes, those that are known no more are forgotten, since nobody can ask for them.
 */
export class CountedInferences implements InferenceStatistics {
  readonly #models = new Map<string, Map<number, Counters>>();
  #known: (() => Iterable<VersionName>) | undefined;

  /** `known` lists the versions whose numbers stay. Without it all do. */
  watch(known: () => Iterable<VersionName>): void {
    this.#known = known;
  }

  answered(version: VersionName, { count, inputMs, predictMs, outputMs }: AnsweredRequest): void {
    const counters = this.#of(version);
    counters.lastInference = Date.now();
    counters.images += count;
    counters.answered++;
    counters.answeredMs += inputMs + predictMs + outputMs;
    counters.inputMs += inputMs;
    counters.predictMs += predictMs;
    counters.outputMs += outputMs;
  }

  failed(version: VersionName, durationMs: number): void {
    const counters = this.#of(version);
    counters.failed++;
    counters.failedMs += durationMs;
  }

  computed({ version, rows, queueMs, computeMs }: Parameters<InferenceStatistics['computed']>[0]): void {
    const counters = this.#of(version);
    counters.lastInference = Date.now();
    counters.runs++;
    counters.ranImages += rows;
    counters.ranRequests += queueMs.length;
    for (const waited of queueMs) counters.queueMs += waited;
    counters.inferMs += computeMs * queueMs.length;
    let batch = counters.batches.get(rows);
    if (batch === undefined) counters.batches.set(rows, (batch = { runs: 0, inferMs: 0 }));
    batch.runs++;
    batch.inferMs += computeMs;
  }

  /** Of a version that nobody asked yet: zeros. */
  of({ name, version }: VersionName): ModelStatistics {
    const found = this.#models.get(name)?.get(version) ?? zeros();
    const { runs, answered, batches } = found;
    const toldOfRuns = runs > 0;
    return {
      name,
      version: String(version),
      last_inference: found.lastInference,
      inference_count: toldOfRuns ? found.ranImages : found.images,
      execution_count: toldOfRuns ? runs : answered,
      inference_stats: {
        success: duration(answered, found.answeredMs),
        fail: duration(found.failed, found.failedMs),
        queue: duration(toldOfRuns ? found.ranRequests : answered, found.queueMs),
        compute_input: duration(answered, found.inputMs),
        compute_infer: toldOfRuns ? duration(found.ranRequests, found.inferMs) : duration(answered, found.predictMs),
        compute_output: duration(answered, found.outputMs),
      },
      batch_stats: [...batches]
        .sort(([a], [b]) => a - b)
        .map(([size, batch]) => ({
          batch_size: size,
          // A batch has none of its own: images are read and tensors made for each request.
          compute_input: duration(batch.runs, 0),
          compute_infer: duration(batch.runs, batch.inferMs),
          compute_output: duration(batch.runs, 0),
        })),
    };
  }

  #of({ name, version }: VersionName): Counters {
    const found = this.#models.get(name)?.get(version);
    if (found !== undefined) return found;
    this.#forgetUnknown();
    let versions = this.#models.get(name);
    if (versions === undefined) this.#models.set(name, (versions = new Map<number, Counters>()));
    const counters = zeros();
    versions.set(version, counters);
    return counters;
  }

  #forgetUnknown(): void {
    if (this.#known === undefined) return;
    const known = new Set([...this.#known()].map(({ name, version }) => `${name}/${version}`));
    for (const [name, versions] of this.#models) {
      for (const version of versions.keys()) if (!known.has(`${name}/${version}`)) versions.delete(version);
      if (versions.size === 0) this.#models.delete(name);
    }
  }
}

function zeros(): Counters {
  return {
    lastInference: 0,
    images: 0,
    answered: 0,
    answeredMs: 0,
    failed: 0,
    failedMs: 0,
    inputMs: 0,
    predictMs: 0,
    outputMs: 0,
    runs: 0,
    ranImages: 0,
    ranRequests: 0,
    queueMs: 0,
    inferMs: 0,
    batches: new Map(),
  };
}

function duration(count: number, ms: number): CountedTime {
  return { count, ns: Math.round(ms * 1e6) };
}
