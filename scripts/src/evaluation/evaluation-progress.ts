import cliProgress from 'cli-progress';

/** How far an evaluation has come; `total` is both at the end. */
export interface EvaluationState {
  examples: number;
  skipped: number;
  total: number;
}

/** A bar on standard error, where that is a terminal. */
export class EvaluationBar {
  #bar: cliProgress.SingleBar | undefined;
  readonly #startedAt = performance.now();

  update({ examples, skipped, total }: EvaluationState): void {
    if (!process.stderr.isTTY) return;
    const seconds = (performance.now() - this.#startedAt) / 1000;
    const payload = { skipped, speed: Math.round(examples / seconds) };
    if (this.#bar === undefined) {
      const format = 'Evaluating {bar} {value}/{total} images  {speed}/s  {skipped} not read';
      // Narrow, so that what stands behind the bar is seen on 80 columns.
      const options = { format, stream: process.stderr, barsize: 20, clearOnComplete: true, hideCursor: true };
      this.#bar = new cliProgress.SingleBar(options, cliProgress.Presets.shades_classic);
      this.#bar.start(total, 0, payload);
    }
    this.#bar.update(examples + skipped, payload);
  }

  stop(): void {
    this.#bar?.stop();
  }
}
