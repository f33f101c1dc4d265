import { className, type ModelReference } from '@atelier/domain';
import { type AnsweredImage, answeredImage, byName, predictionOf, previewOf } from './answered-image.ts';
import { checkBatch, type EvaluatedBatch, noExamples } from './batch.ts';
import { ComparisonTally } from './comparison-tally.ts';
import { Greatest } from './greatest.ts';
import { MetricsTally } from './metrics-tally.ts';
import type { EvaluatedInput, EvaluationReport, Mistake, UnreadableEntry } from './report.ts';
import { shortenedName } from './shortened-name.ts';
import { UnreadableTally } from './unreadable-tally.ts';

export interface TallyOptions {
  /** Whether batches come with the answers of another version. Default: false. */
  compares?: boolean;
  /** Whether the version can abstain; without it the report says nothing of abstentions. Default: false. */
  abstains?: boolean;
  /** Most confident mistakes to list. */
  mistakes?: number;
  /** Unreadable entries to list. */
  unreadable?: number;
  /** Images to list of which two versions think differently. */
  differing?: number;
}

const LISTED = { mistakes: 24, unreadable: 100, differing: 24 };

/** What a report says beside what was counted. */
export interface EvaluationFacts {
  model: ModelReference;
  /** The version compared with; needed where `compares`. */
  against?: ModelReference;
  device: string;
  input: EvaluatedInput;
  /** From the first byte to the last prediction. */
  seconds: number;
  /** In ms by the name of the step. */
  timingsMs: Readonly<Record<string, number>>;
  /** Default: now. */
  createdAt?: Date;
}

/** Counts answered images, batch by batch and in any order, into a report. What it holds does not grow with them. */
export class EvaluationTally {
  readonly #metrics = new MetricsTally();
  readonly #comparison: ComparisonTally | null;
  readonly #mistakes: Greatest<AnsweredImage>;
  readonly #unreadable: UnreadableTally;
  readonly #abstentions: { count: number; rightAnswers: number } | null;
  #examples = 0;
  #mistakeCount = 0;

  constructor({ compares = false, abstains = false, ...listed }: TallyOptions = {}) {
    const limits = { ...LISTED, ...listed };
    this.#comparison = compares ? new ComparisonTally(limits.differing) : null;
    this.#mistakes = new Greatest(
      limits.mistakes,
      (one, other) => other.confidence - one.confidence || byName(one, other),
    );
    this.#unreadable = new UnreadableTally(limits.unreadable);
    this.#abstentions = abstains ? { count: 0, rightAnswers: 0 } : null;
  }

  /** How many images were measured. */
  get examples(): number {
    return this.#examples;
  }

  /** How many entries could not be. */
  get unreadable(): number {
    return this.#unreadable.count;
  }

  /** `RangeError` for a batch whose parts do not fit each other; nothing of it is counted. */
  add(batch: EvaluatedBatch): void {
    checkBatch(batch, this.#comparison !== null);
    const { labels, probabilities, abstained, against } = batch;
    this.#metrics.add(probabilities, labels);
    if (against !== undefined) this.#comparison?.addAnswers(against, labels);
    for (const [row, label] of labels.entries()) {
      const isRight = predictionOf(probabilities, row).predicted === label;
      this.#countAbstention(abstained?.[row] ?? false, isRight);
      if (!isRight) this.#mistakes.offer(answeredImage(batch, row));
      this.#mistakeCount += isRight ? 0 : 1;
      if (against !== undefined) this.#compare(batch, row, predictionOf(against, row));
    }
    this.#examples += labels.length;
  }

  /** Counts an entry that could not be measured. */
  skip(entry: UnreadableEntry): void {
    this.#unreadable.add(entry);
  }

  /** `no-examples` where not one image was counted. */
  report(facts: EvaluationFacts): EvaluationReport {
    const { model, against, device, input, seconds, timingsMs, createdAt = new Date() } = facts;
    if (this.#examples === 0) throw noExamples(this.#unreadable.count, this.#unreadable.report().shown[0]);
    if ((this.#comparison === null) !== (against === undefined)) {
      throw new RangeError('Expected the version compared with exactly where there is a comparison.');
    }
    return {
      model,
      device,
      createdAt: createdAt.toISOString(),
      input,
      ...this.#metrics.metrics(),
      abstentions: this.#abstentionReport(),
      seconds,
      imagesPerSecond: seconds > 0 ? this.#examples / seconds : 0,
      timingsMs: { ...timingsMs },
      mistakes: { count: this.#mistakeCount, shown: this.#mistakes.items.map(mistakeOf) },
      unreadable: this.#unreadable.report(),
      comparison: against === undefined ? null : (this.#comparison?.report(against) ?? null),
    };
  }

  #compare(batch: EvaluatedBatch, row: number, other: { predicted: number; confidence: number }): void {
    const label = batch.labels[row];
    const { predicted } = predictionOf(batch.probabilities, row);
    this.#comparison?.addPair(predicted === label, other.predicted === label);
    if (predicted !== other.predicted) this.#comparison?.addDiffering(answeredImage(batch, row), other);
  }

  #countAbstention(isAbstained: boolean, isRight: boolean): void {
    if (this.#abstentions === null) return;
    this.#abstentions.count += isAbstained ? 1 : 0;
    this.#abstentions.rightAnswers += !isAbstained && isRight ? 1 : 0;
  }

  #abstentionReport(): EvaluationReport['abstentions'] {
    if (this.#abstentions === null) return null;
    const { count, rightAnswers } = this.#abstentions;
    const answered = this.#examples - count;
    return {
      count,
      share: count / this.#examples,
      accuracyOfAnswered: answered === 0 ? null : rightAnswers / answered,
    };
  }
}

function mistakeOf(image: AnsweredImage): Mistake {
  return {
    name: shortenedName(image.name),
    actual: className(image.label),
    predicted: className(image.predicted),
    confidence: image.confidence,
    top: Array.from(image.probabilities, (probability, index) => ({ index, probability }))
      .sort((one, other) => other.probability - one.probability || one.index - other.index)
      .slice(0, 3)
      .map(({ index, probability }) => ({ label: className(index), probability: Math.min(1, probability) })),
    preview: previewOf(image),
  };
}
