import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BENCHMARKS } from '../../../scripts/bench/bench.ts';
import type { Sample } from '../../../scripts/bench/benchmark.ts';
import { benchmarksPage } from '../../../scripts/bench/benchmarks-page.ts';
import { prefixed } from '../../../scripts/bench/serving/evaluation/samples.ts';
import type { VariantName } from '../../../scripts/bench/serving/evaluation/variant-names.ts';
import { MACHINE } from '../../support/measured-runs.ts';

const STEPS = { receiveMs: 80, readMs: 20, decodeMs: 2000, predictMs: 900, countMs: 8, digestMs: 0 };
const PASS = { seconds: 0.9, perSecond: 11_000, cpuMicroseconds: 150, ...STEPS };

/** As the archives of one kind are measured, with this share of the bare loop. */
function ofKind(share: number): Sample {
  const loops = ['loop', 'twoLoops', 'sharpLoop'];
  const measured = loops.map((name) => prefixed(name, { seconds: 0.8, perSecond: 12_500, cpuMicroseconds: 75, share }));
  return Object.assign({ firstSeconds: 1.4, ...prefixed('service', PASS) }, ...measured) as Sample;
}

function beside(medianMs: number, percentile99Ms: number): Sample {
  return { medianMs, percentile99Ms, longestMs: 2 * percentile99Ms, evaluatedPerSecond: 1000 };
}

const SAMPLES: Record<VariantName, Sample[]> = {
  sets: [
    {
      ...prefixed('idx', { ...PASS, firstSeconds: 1.2 }),
      ...prefixed('grey', ofKind(0.9)),
      ...prefixed('rgb', ofKind(0.89)),
    },
  ],
  requests: [
    {
      ...prefixed('alone', beside(1, 4)),
      ...prefixed('grey', beside(1.25, 8)),
      ...prefixed('rgb', beside(1.3, 8.5)),
      ...prefixed('uploads', beside(1.1, 5)),
      firstGradientMs: 90,
      ...prefixed('plain', { medianMs: 1.5, percentile99Ms: 3, longestMs: 4 }),
      ...prefixed('gradient', { medianMs: 5, percentile99Ms: 20, longestMs: 30 }),
      ...prefixed('occlusion', { medianMs: 12, percentile99Ms: 51, longestMs: 60 }),
    },
  ],
};

describe('the evaluation benchmark', () => {
  const figures = { writtenAt: '2026-01-31T12:00:00.000Z', machine: MACHINE, rounds: 1, isQuick: false };
  const page = benchmarksPage({ evaluation: { ...figures, samples: SAMPLES } }, BENCHMARKS).markdown;
  const rowOf = (title: string) => {
    const row = page.split('\n').find((line) => line.startsWith(`| ${title}`)) ?? assert.fail(`no row ${title}`);
    return row.replace(/ +/g, ' ');
  };

  test('holds the time of IDX, and what PNG files reach of the bare loop, to their goals', () => {
    assert.match(rowOf('10,000 test images as IDX'), /at most 1\.00 s \| 0\.90 s \| yes/);
    assert.match(rowOf('the same as grey PNG in a ZIP: share of a bare loop of'), /at least 90\.0 % \| 90\.0 % \| yes/);
    assert.match(
      rowOf('the same as RGB PNG in a ZIP: share of a bare decoding loop of sharp'),
      /at least 90\.0 % \| 89\.0 % \| \*\*no\*\*/,
    );
  });

  test('compares predictions beside evaluations with those alone, round by round', () => {
    const row = (what: string, figure: string) => rowOf(`\`POST /predict\` beside ${what}: ${figure}`);
    assert.match(row('an evaluation of grey PNG', 'median'), /at most 125\.0 % \| 125\.0 % \| yes/);
    assert.match(row('an evaluation of grey PNG', '99th'), /at most 2\.0 times \| 2\.0 times \| yes/);
    assert.match(row('an evaluation of RGB PNG', 'median'), /130\.0 % \| \*\*no\*\*/);
    assert.match(row('an evaluation of RGB PNG', '99th'), /2\.1 times \| \*\*no\*\*/);
    assert.match(row('uploads', 'median'), /110\.0 % \| yes/);
  });

  test('holds median and 99th percentile of what an explanation adds to the same goal', () => {
    assert.match(
      rowOf('`?explain=gradient`: what it adds to a prediction, 99th'),
      /at most 50\.00 ms \| 20\.00 ms \| yes/,
    );
    assert.match(rowOf('`?explain=occlusion`: what it adds to a prediction, median'), /12\.00 ms \| yes/);
    assert.match(rowOf('`?explain=occlusion`: what it adds to a prediction, 99th'), /51\.00 ms \| \*\*no\*\*/);
  });
});
