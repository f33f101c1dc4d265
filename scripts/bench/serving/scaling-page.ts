import { machineInWords } from '../../src/measurements/machine.ts';
import { markdownTable } from '../../src/measurements/markdown-table.ts';
import { median } from '../../src/measurements/statistics.ts';
import type { Figures } from '../benchmark.ts';
import { valuesOf } from '../goal-table.ts';
import { scalingTexts } from './scaling-texts.ts';

/** The benchmarks that the page is made of. */
export interface ScalingFigures {
  serving: Figures;
  'serving-overload': Figures;
}

/** What clients ask, and what one process answers of it when it has as much to do as it can. */
export interface Work {
  name: string;
  /** Of a request. */
  images: number;
  /** Requests a second. */
  perSecond: number;
  /** Of all cores, seconds for a request: the client, which shares them, is counted in. */
  coreSeconds: number;
}

/** An assumption, to be replaced: what a core costs for an hour, in US dollars. */
const DOLLARS_PER_CORE_HOUR = 0.04;

const MILLION = 1e6;
const RATES = [10, 100, 10_000];

/** `docs/scaling.md`, from figures that were measured and what can be computed from them. */
export function scalingPage({ serving, 'serving-overload': overload }: ScalingFigures): string {
  const { cores } = serving.machine;
  const works = worksOf(serving, overload);
  return `${[
    `# Scaling`,
    `Written by \`npm run bench -- serving\` and \`-- serving-overload\` out of [benchmarks.json](benchmarks.json); not by hand. What was measured, on
${machineInWords(serving.machine)}, is called measured; the rest is computed from it.`,
    `## One process`,
    `Measured, ${inWords(cores)} cores, default settings, as many requests as it can answer; the client that sends them takes its
share of the same cores, so that a server alone has somewhat more.`,
    markdownTable(
      ['what is asked', 'requests a second', 'images a second', 'core time of a request', 'requests a second and core'],
      works.map(({ name, images, perSecond, coreSeconds }) => [
        name,
        whole(perSecond),
        whole(perSecond * images),
        milliseconds(coreSeconds),
        whole(1 / coreSeconds),
      ]),
    ),
    scalingTexts.saturation,
    `## Replicas`,
    `Measured on the same ${inWords(cores)} cores, two processes that share a port against one:`,
    markdownTable(
      ['what is asked', 'one process', 'two processes', 'against one'],
      [
        ['PNG of 28×28', ...pair(serving, 'png', 'two-processes-png')],
        ['one image as `pixels`', ...pair(serving, 'pixels', 'two-processes-pixels')],
      ],
    ),
    scalingTexts.replicas,
    markdownTable(
      ['computed: requests a second', ...[2, 8, 32, 128].map((count) => `${count} cores`)],
      works.map(({ name, coreSeconds }) => [name, ...[2, 8, 32, 128].map((count) => whole(count / coreSeconds))]),
    ),
    `## A million predictions`,
    `Computed; at ${DOLLARS_PER_CORE_HOUR.toFixed(2)} US dollars for an hour of a core, an assumption to be replaced by yours, and cores that are busy throughout.`,
    markdownTable(
      ['what is asked', 'core hours', 'US dollars'],
      works.map(({ name, images, coreSeconds }) => {
        const hours = (MILLION * coreSeconds) / images / 3600;
        return [name, hours.toFixed(2), (hours * DOLLARS_PER_CORE_HOUR).toFixed(3)];
      }),
    ),
    `## What breaks first`,
    `Computed: how much of a core is needed where so many requests a second come for each. Above 100 % the rest is refused with
429 and \`Retry-After\`.`,
    markdownTable(
      ['what is asked', ...RATES.map((rate) => `${rate.toLocaleString('en')} a second`)],
      works.map(({ name, coreSeconds }) => [name, ...RATES.map((rate) => percentOf(rate * coreSeconds))]),
    ),
    scalingTexts.breaks(works),
    `## Which engine takes over`,
    scalingTexts.engines,
  ].join('\n\n')}\n`;
}

function worksOf(serving: Figures, overload: Figures): Work[] {
  const work = (name: string, images: number, figures: Figures, variant: string, rate: string): Work => {
    const perSecond = median(valuesOf(figures.samples, variant, rate));
    return { name, images, perSecond, coreSeconds: figures.machine.cores / perSecond };
  };
  return [
    work('JPEG of 1024×768', 1, overload, 'photographs', 'peakPerSecond'),
    work('PNG of 28×28', 1, serving, 'png', 'perSecond'),
    work('one image as `pixels`', 1, serving, 'pixels', 'perSecond'),
    work('one image as a binary tensor', 1, serving, 'tensors', 'perSecond'),
    work('64 images as a binary tensor', 64, overload, 'tensors', 'peakPerSecond'),
  ];
}

function pair({ samples }: Figures, one: string, two: string): string[] {
  const [first, second] = [median(valuesOf(samples, one, 'perSecond')), median(valuesOf(samples, two, 'perSecond'))];
  return [whole(first), whole(second), `${((100 * second) / first).toFixed(0)} %`];
}

function inWords(cores: number): string {
  return cores === 2 ? 'two' : String(cores);
}

/** With as many digits as mean something. */
function whole(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString('en');
}

function milliseconds(seconds: number): string {
  return `${(1000 * seconds).toPrecision(3)} ms`;
}

function percentOf(share: number): string {
  return `${whole(100 * share)} %`;
}
