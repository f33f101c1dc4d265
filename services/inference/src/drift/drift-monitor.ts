import { type AnswerReference, CLASS_COUNT, className } from '@atelier/domain';
import type { PublishedVersion } from '@atelier/model-repository';
import type { DriftResponse, DriftVerdict, DriftWindow } from '../contract/drift.ts';
import { referenceTo } from '../model-reference.ts';
import { identityOf } from '../models/loaded-version.ts';
import type { Outputs } from '../predictor/predictor.ts';
import { judgeAll } from '../trust/judge.ts';
import { AnswerWindow, type WindowLimits } from './answer-window.ts';
import { stabilityIndex } from './stability-index.ts';

/** The usual reading of the index. */
const LIMITS = { moderate: 0.1, major: 0.25 } as const;

/** Of 300 answers that have not changed the index of ten bins is 0.03 by chance, and above 0.1 in one case of 2,000. */
export const MINIMUM_EXAMPLES = 300;

/** Versions whose answers are kept, the longest unused forgotten first: a service swaps for months. */
const MAXIMUM_VERSIONS = 16;

/** Of one version, in short. */
export interface DriftFigures {
  version: PublishedVersion;
  /** Answers in the window, at least one. */
  examples: number;
  /** Share of them, 0 to 1. */
  abstained: number;
  /** Population stability indexes. */
  classes: number;
  confidence: number;
}

interface Watched {
  version: PublishedVersion;
  reference: AnswerReference;
  window: AnswerWindow;
}

export interface DriftOptions extends WindowLimits {
  /** In ms since 1970. */
  now?: () => number;
}

/** A monitor with the limits of a configuration. */
export function openDrift({
  driftAnswers,
  driftMinutes,
}: {
  driftAnswers: number;
  driftMinutes: number;
}): DriftMonitor {
  return new DriftMonitor({ answers: driftAnswers, ageMs: driftMinutes * 60_000 });
}

/**
 * Compares what versions answer now with what their manifests say they answered to validation images. Told of answers to
 * people and programs that wait, and not of evaluations or copies, whose images somebody has chosen.
 */
export class DriftMonitor {
  readonly #limits: WindowLimits;
  readonly #now: () => number;
  readonly #watched = new Map<string, Watched>();

  constructor({ now = Date.now, ...limits }: DriftOptions) {
    this.#limits = limits;
    this.#now = now;
  }

  /** Takes note of answers, and of how they were judged where somebody has; quick, and never fails. */
  answered(version: PublishedVersion, outputs: Outputs, judgements = judgeAll(version.manifest, outputs)): void {
    const watched = this.#watch(version);
    if (watched === undefined) return;
    const now = this.#now();
    const count = outputs.probabilities.length / CLASS_COUNT;
    for (let row = 0; row < count; row++) {
      const probabilities = outputs.probabilities.subarray(row * CLASS_COUNT, (row + 1) * CLASS_COUNT);
      watched.window.add(now, probabilities, judgements?.[row]?.abstain ?? false);
    }
  }

  /** What there is to say of versions that have answered, and of these, which could. */
  report(served: readonly PublishedVersion[]): DriftResponse {
    const versions = new Map(served.map((version) => [identityOf(version), version]));
    for (const [identity, { version }] of this.#watched) versions.set(identity, version);
    return {
      window: {
        answers: this.#limits.answers,
        minutes: this.#limits.ageMs / 60_000,
        minimumExamples: MINIMUM_EXAMPLES,
      },
      limits: LIMITS,
      versions: [...versions].map(([identity, version]) => this.#described(version, this.#watched.get(identity))),
    };
  }

  /** Those that have answered, in short, for the metrics. */
  *figures(): Iterable<DriftFigures> {
    for (const watched of this.#watched.values()) {
      const { version, window } = watched;
      window.expire(this.#now());
      if (window.count === 0) continue;
      const abstained = window.abstained / window.count;
      yield { version, examples: window.count, abstained, ...indexesOf(watched) };
    }
  }

  #watch(version: PublishedVersion): Watched | undefined {
    const reference = version.manifest.trust?.reference;
    if (reference === undefined) return undefined;
    const identity = identityOf(version);
    const watched = this.#watched.get(identity) ?? {
      version,
      reference,
      window: new AnswerWindow(this.#limits, reference.confidenceEdges),
    };
    this.#watched.delete(identity);
    this.#watched.set(identity, watched);
    const [oldest] = this.#watched.keys();
    if (this.#watched.size > MAXIMUM_VERSIONS && oldest !== undefined) this.#watched.delete(oldest);
    return watched;
  }

  #described(version: PublishedVersion, watched: Watched | undefined): DriftWindow {
    const model = referenceTo(version);
    const reference = version.manifest.trust?.reference;
    if (reference === undefined) return { ...NOTHING, model, verdict: 'no-reference' };
    const window = watched?.window ?? new AnswerWindow({ ...this.#limits, answers: 1 }, reference.confidenceEdges);
    window.expire(this.#now());
    const { count, since } = window;
    const indexes = indexesOf({ window, reference });
    const edges = [0, ...reference.confidenceEdges, 1];
    return {
      model,
      verdict: verdictOf(count, Math.max(indexes.classes, indexes.confidence)),
      examples: count,
      since: since === undefined ? null : new Date(since).toISOString(),
      abstained: count === 0 ? null : window.abstained / count,
      stabilityIndex: { classes: numberOrNull(indexes.classes), confidence: numberOrNull(indexes.confidence) },
      classes: binsOf(window.classes, reference.classShares, (bin) => ({ label: className(bin) })),
      confidence: binsOf(window.confidences, reference.confidenceShares, (bin) => ({
        from: edges[bin] ?? 0,
        to: edges[bin + 1] ?? 1,
      })),
    };
  }
}

const NOTHING = {
  examples: 0,
  since: null,
  abstained: null,
  stabilityIndex: { classes: null, confidence: null },
  classes: [],
  confidence: [],
};

function indexesOf({ window, reference }: Pick<Watched, 'window' | 'reference'>) {
  const { count, classShares, confidenceShares } = reference;
  return {
    classes: stabilityIndex(window.classes, classShares, count),
    confidence: stabilityIndex(window.confidences, confidenceShares, count),
  };
}

function verdictOf(examples: number, index: number): DriftVerdict {
  if (examples < MINIMUM_EXAMPLES) return 'too-few-examples';
  if (index >= LIMITS.major) return 'major';
  return index >= LIMITS.moderate ? 'moderate' : 'stable';
}

function binsOf<T>(counts: Uint32Array, reference: readonly number[], named: (bin: number) => T) {
  const total = counts.reduce((sum, count) => sum + count, 0);
  return Array.from(counts, (count, bin) => ({
    ...named(bin),
    count,
    share: total === 0 ? 0 : count / total,
    reference: reference[bin] ?? 0,
  }));
}

function numberOrNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}
