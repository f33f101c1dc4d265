import { className, type ModelReference } from '@atelier/domain';
import { type AnsweredImage, byName, previewOf } from './answered-image.ts';
import { Greatest } from './greatest.ts';
import { MetricsTally } from './metrics-tally.ts';
import { accuracyDifferenceInterval, mcnemarTest, type PairedCounts } from './paired-accuracies.ts';
import type { VersionComparison } from './report.ts';
import { shortenedName } from './shortened-name.ts';

/** An image of which two versions think differently. */
interface Differing {
  image: AnsweredImage;
  /** What the other version says. */
  against: { predicted: number; confidence: number };
}

/** How another version does on the same images. */
export class ComparisonTally {
  readonly #metrics = new MetricsTally();
  readonly #counts: PairedCounts = { bothRight: 0, onlyFirstRight: 0, onlySecondRight: 0, bothWrong: 0 };
  readonly #differing: Greatest<Differing>;
  #differingCount = 0;

  /** Lists at most `limit` of the images for which the versions predict different classes. */
  constructor(limit: number) {
    this.#differing = new Greatest(
      limit,
      (one, other) => surenessOf(other) - surenessOf(one) || byName(one.image, other.image),
    );
  }

  /** Its answers to a batch, [count, 10] and [count]. */
  addAnswers(probabilities: Float32Array, labels: Uint8Array): void {
    this.#metrics.add(probabilities, labels);
  }

  /** One image: whether each of the two versions is right. */
  addPair(isRight: boolean, isAgainstRight: boolean): void {
    if (isRight) this.#counts[isAgainstRight ? 'bothRight' : 'onlyFirstRight']++;
    else this.#counts[isAgainstRight ? 'onlySecondRight' : 'bothWrong']++;
  }

  addDiffering(image: AnsweredImage, against: Differing['against']): void {
    this.#differingCount++;
    this.#differing.offer({ image, against });
  }

  report(against: ModelReference): VersionComparison {
    const { bothRight, onlyFirstRight, onlySecondRight, bothWrong } = this.#counts;
    const metrics = this.#metrics.metrics();
    return {
      against,
      metrics,
      accuracyDifference: (onlyFirstRight - onlySecondRight) / metrics.examples,
      accuracyDifferenceInterval: accuracyDifferenceInterval(this.#counts),
      bothRight,
      onlyModelRight: onlyFirstRight,
      onlyAgainstRight: onlySecondRight,
      bothWrong,
      mcnemar: mcnemarTest(onlyFirstRight, onlySecondRight),
      differing: {
        count: this.#differingCount,
        shown: this.#differing.items.map(({ image, against: other }) => ({
          name: shortenedName(image.name),
          actual: className(image.label),
          predicted: className(image.predicted),
          confidence: image.confidence,
          againstPredicted: className(other.predicted),
          againstConfidence: other.confidence,
          preview: previewOf(image),
        })),
      },
    };
  }
}

function surenessOf({ image, against }: Differing): number {
  return image.confidence + against.confidence;
}
