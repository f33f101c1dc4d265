import { markdownTable } from '../../../src/measurements/markdown-table.ts';
import { spread, spreadInWords } from '../../../src/measurements/statistics.ts';
import type { Benchmark, Figures } from '../../benchmark.ts';
import { goalTable, valuesOf } from '../../goal-table.ts';
import { goalsOf } from './goals.ts';
import { CONNECTIONS, DECODING_LOOP, LOADED, START } from './variant-names.ts';

export const serving: Benchmark = {
  title: 'Serving',
  program: 'serving/speed/variants',
  variants: [DECODING_LOOP, START, ...Object.keys(LOADED)],
  section: renderServing,
};

/** How fast the service answers, against doing the same without a server and against a server written by hand. */
export function renderServing({ samples }: Figures): string {
  return [
    goalTable(goalsOf(samples)),
    markdownTable(
      ['answered', 'a second', 'median', '99th percentile', 'median, 1 connection', 'CPU, server', 'CPU, client'],
      loadedRows(samples),
    ),
    HOW,
  ].join('\n\n');
}

function loadedRows(samples: Figures['samples']): string[][] {
  const inWords = (variant: string, name: string, digits: number, unit = '') =>
    spreadInWords(spread(valuesOf(samples, variant, name)), (value) => value.toFixed(digits), unit);
  const loop = [
    'bare decoding loop, no server',
    inWords(DECODING_LOOP, 'perSecond', 0),
    ...['', '', ''],
    inWords(DECODING_LOOP, 'cpuMicroseconds', 0, 'µs'),
    '',
  ];
  const loaded = Object.entries(LOADED).map(([variant, title]) => [
    title,
    inWords(variant, 'perSecond', 0),
    inWords(variant, 'medianMs', 1, 'ms'),
    inWords(variant, 'percentile99Ms', 1, 'ms'),
    inWords(variant, 'oneConnectionMedianMs', 2, 'ms'),
    inWords(variant, 'serverMicroseconds', 0, 'µs'),
    inWords(variant, 'clientMicroseconds', 0, 'µs'),
  ]);
  return [loop, ...loaded];
}

const HOW = `- ${CONNECTIONS} connections that are kept alive, then one, each sending when it has been answered; from a process of its own on the
  same machine, over raw sockets. CPU is of one request, user and system, of all processes of the server and of the
  client; what the client takes, the server lacks. The first seconds do not count. An answer that is lost, late by 30 s or
  no 200 ends the benchmark.
- The bare decoding loop decodes the same PNG files with the service's own decoder and does nothing else: no HTTP, no
  model, no client. The best of two, four and eight at a time in one process and in two.
- Hand-written is an Express route that runs \`session.run\` for each request on the same model, its body read by
  \`express.json\` or \`express.raw\`, with the runtime's default options and with one intra-op thread; the better of the two
  counts, in each round and for each figure.
- The service has its default settings, but that it stops without grace, and its log goes to /dev/null. Two processes share one port by \`node:cluster\`.
- Ready is the first 200 of \`/readyz\`, looked for every 5 ms, after its process was started as
  \`npm start\` does, from a bundle that was there; its files come from memory. Idle memory is of all its processes, 3 s later, pages that they share counted in
  parts (PSS).`;
