import { duration, facts, fileSize, instant, type Markup, markup, table, wholeNumber } from '@atelier/reports';
import type { EvaluationReport } from '../../report.ts';

/** What was measured with what, and where the time went: enough to measure it again. */
export function measurementSection(report: EvaluationReport): Markup {
  const { model, device, input, seconds, imagesPerSecond, timingsMs, createdAt } = report;
  const steps = Object.entries(timingsMs).toSorted(([, one], [, other]) => other - one);
  return markup`<section id="measurement">
<h2>Measurement</h2>
${facts([
  ['Measured', instant(createdAt)],
  ['Model', `${model.name}, version ${model.version}`],
  ['Model digest', markup`<code>${model.digest}</code>`],
  ['Device', device],
  ['Input', `${input.form}, ${fileSize(input.bytes)}`],
  ...(input.ignored === 0
    ? []
    : ([
        [
          'Ignored',
          `${wholeNumber(input.ignored)} that are nobody's pictures, such as what a system keeps beside files`,
        ],
      ] as const)),
  ['Input digest', markup`<code>${input.digest}</code>`],
  ['Time', `${duration(seconds)}, ${wholeNumber(imagesPerSecond)} images a second`],
])}
${steps.length === 0 ? null : timingTable(steps)}
</section>`;
}

function timingTable(steps: readonly (readonly [step: string, ms: number])[]): Markup {
  return markup`${table(
    'Where the time went',
    [
      { title: 'Step', cell: ([step]) => step, kind: 'text' },
      { title: 'Time', cell: ([, ms]) => (ms < 1000 ? `${Math.round(ms)}\u00a0ms` : duration(ms / 1000)) },
    ],
    steps,
  )}
<p class="muted">Steps that run at the same time add up to more than the whole.</p>`;
}
