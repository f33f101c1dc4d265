import type { EpochReport, Progress } from '@atelier/trainer';
import cliProgress from 'cli-progress';
import { duration, note, percent } from './output.ts';

/** Shows a training on standard error: a bar and a line per epoch on a terminal, the lines alone elsewhere. */
export class TrainingProgress {
  readonly #bar: cliProgress.SingleBar | null;
  /** When the first progress came, and what had been done by then, in this process or an earlier one. */
  #first: { at: number; stepsDone: number } | undefined;

  constructor() {
    this.#bar = process.stderr.isTTY
      ? new cliProgress.SingleBar(
          {
            format: 'Epoch {epoch} {bar} {speed} images/s  loss {loss}  validation {validation}  {left} left',
            stream: process.stderr,
            clearOnComplete: true,
            hideCursor: true,
          },
          cliProgress.Presets.shades_classic,
        )
      : null;
  }

  update(progress: Progress): void {
    const stepsDone = (progress.epoch - 1) * progress.stepsPerEpoch + progress.step;
    const steps = progress.epochs * progress.stepsPerEpoch;
    this.#first ??= { at: performance.now(), stepsDone };
    const secondsPerStep = (performance.now() - this.#first.at) / 1000 / (stepsDone - this.#first.stepsDone);
    const payload = {
      epoch: `${progress.epoch}/${progress.epochs}`,
      speed: Math.round(progress.imagesPerSecond),
      loss: progress.loss.toFixed(4),
      validation: progress.validationAccuracy === null ? '-' : percent(progress.validationAccuracy),
      left: Number.isFinite(secondsPerStep) ? duration(secondsPerStep * (steps - stepsDone)) : '-',
    };
    if (this.#bar?.isActive === false) this.#bar.start(steps, stepsDone, payload);
    else this.#bar?.update(stepsDone, payload);
  }

  epoch({ epoch, trainingLoss, validation, imagesPerSecond, seconds }: EpochReport): void {
    const wasActive = this.#bar?.isActive ?? false;
    if (wasActive) this.#bar?.stop();
    note(
      `Epoch ${epoch}: loss ${trainingLoss.toFixed(4)}, validation loss ${validation.loss.toFixed(4)}, ` +
        `validation accuracy ${percent(validation.accuracy)}, ${Math.round(imagesPerSecond)} images/s, ${duration(seconds)}`,
    );
  }

  stop(): void {
    if (this.#bar?.isActive) this.#bar.stop();
  }
}
