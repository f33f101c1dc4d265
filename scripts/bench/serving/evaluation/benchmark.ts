import { markdownTable } from '../../../src/measurements/markdown-table.ts';
import { spread, spreadInWords } from '../../../src/measurements/statistics.ts';
import type { Benchmark, Figures } from '../../benchmark.ts';
import { goalTable, valuesOf } from '../../goal-table.ts';
import { goalsOf } from './goals.ts';
import {
  BESIDE,
  BESIDE_IN_WORDS,
  METHODS,
  ONLINE_RATE,
  PICTURE_KINDS,
  PICTURES,
  REQUESTS,
  SETS,
  STEPS,
  VARIANT_NAMES,
  type VariantName,
} from './variant-names.ts';

export const evaluation: Benchmark = {
  title: 'Evaluation, predictions beside it, and explanations',
  program: 'serving/evaluation/variants',
  variants: VARIANT_NAMES,
  defaultRounds: 2,
  section: renderEvaluation,
};

/** How soon many labelled images are evaluated, what that costs those who wait for a prediction, and what explaining one costs. */
export function renderEvaluation({ samples }: Figures): string {
  return [
    goalTable(goalsOf(samples), 'figure'),
    markdownTable(['10,000 images', 'time', 'a second', 'CPU, an image', 'the first time'], speedRows(samples)),
    markdownTable(['where the time went', ...STEPS], stepRows(samples)),
    markdownTable(
      ['`POST /predict`', 'median', '99th percentile', 'longest', 'evaluated a second'],
      onlineRows(samples),
    ),
    markdownTable(['of a prediction', 'median', '99th percentile', 'longest'], explainRows(samples)),
    HOW,
  ].join('\n\n');
}

type Samples = Figures['samples'];

function inWords(samples: Samples, variant: VariantName) {
  return (name: string, digits: number, unit = '', factor = 1) =>
    spreadInWords(
      spread(valuesOf(samples, variant, name).map((value) => factor * value)),
      (value) => value.toFixed(digits),
      unit,
    );
}

function speedRows(samples: Samples): string[][] {
  const words = inWords(samples, SETS);
  const row = (title: string, prefix: string, first = '') => [
    title,
    words(`${prefix}seconds`, 2, 's'),
    words(`${prefix}perSecond`, 0),
    words(`${prefix}cpuMicroseconds`, 0, 'µs'),
    first === '' ? '' : words(first, 2, 's'),
  ];
  return [
    row('IDX', 'idx.', 'idx.firstSeconds'),
    ...PICTURE_KINDS.flatMap((kind) => [
      row(`${PICTURES[kind]} in a ZIP`, `${kind}.service.`, kind === 'grey' ? `${kind}.firstSeconds` : ''),
      row(`${PICTURES[kind]}, bare loop of sharp`, `${kind}.sharpLoop.`),
      row(`${PICTURES[kind]}, bare loop of the same decoder`, `${kind}.loop.`),
      row(`${PICTURES[kind]}, two such loops`, `${kind}.twoLoops.`),
    ]),
  ];
}

function stepRows(samples: Samples): string[][] {
  const words = inWords(samples, SETS);
  const row = (title: string, prefix: string) => [title, ...STEPS.map((step) => words(`${prefix}${step}Ms`, 0, 'ms'))];
  const ofKind = PICTURE_KINDS.map((kind) => row(`${PICTURES[kind]} in a ZIP`, `${kind}.service.`));
  return [row('IDX', 'idx.'), ...ofKind];
}

function onlineRows(samples: Samples): string[][] {
  const words = inWords(samples, REQUESTS);
  return BESIDE.map((beside) => [
    beside === 'alone' ? 'alone' : `beside ${BESIDE_IN_WORDS[beside]}`,
    words(`${beside}.medianMs`, 2, 'ms'),
    words(`${beside}.percentile99Ms`, 1, 'ms'),
    words(`${beside}.longestMs`, 1, 'ms'),
    beside in PICTURES ? words(`${beside}.evaluatedPerSecond`, 0) : '',
  ]);
}

function explainRows(samples: Samples): string[][] {
  const words = inWords(samples, REQUESTS);
  const row = (title: string, name: string) => [
    title,
    words(`${name}.medianMs`, 2, 'ms'),
    words(`${name}.percentile99Ms`, 1, 'ms'),
    words(`${name}.longestMs`, 1, 'ms'),
  ];
  return [
    row('without an explanation', 'plain'),
    ...METHODS.map((method) => row(`what \`?explain=${method}\` adds`, method)),
    ['the first `?explain=gradient` of a version, which makes its graph', words('firstGradientMs', 0, 'ms'), '', ''],
  ];
}

const HOW = `- The service has its default settings, but that it stops without grace, and its log goes to /dev/null; the client is a process of its
  own on the same machine, over the loopback address. Time is from before the first byte is sent until the report is there: the
  upload, the disk, reading, decoding, the model, counting and the answer. The first evaluation of a kind does not count; it
  has a column of its own, and with PNG files starts the process that decodes. The steps are as the report has them
  (\`timingsMs\`): they run beside each other, so they add up to more than the whole. CPU is of all processes of the service,
  user and system.
- The ZIP archive has a folder for each class; its entries are PNG files as sharp writes them, deflated. A bare decoding loop opens the
  same archive with the service's own reader, unpacks every entry and decodes it into pixels, and does nothing else: no HTTP, no
  upload, no labels, no model, no report. It has as many decoding threads as the service, and ordinary priority. That of sharp is
  what one writes by hand, \`sharp(file).toColourspace('b-w').raw()\`, in two processes with half of the entries each, so
  on all cores. That of the same decoder makes images of 28×28 exactly as the service's evaluations do, in one process as they
  have it; two of them have both cores to themselves.
- Evaluations decode in a process of the lowest priority and do everything else beside it, on the same two cores: an image takes them
  half of its CPU time at least, whatever a loop takes that has only the decoder's share of it to do.
- Loops and service take turns, every other time backwards, two turns not counted; a share is of the same turn.
- \`POST /predict\`: one PNG of 28×28 a request, ${ONLINE_RATE} a second at a fixed rate, six seconds after one that does not count, twice
  each; latency counts from when a request was due. Alone, beside an evaluation of 80,000 such files that does not end
  meanwhile, and beside uploads of such an archive that follow each other, each cancelled when its directory has been read;
  in one service, in turns and then in turns backwards.
- An explanation: for each of 300 test images a request without one and one with each method right after it, on one
  connection; what it adds is the difference of the two, so that the noise of both is in it.`;
