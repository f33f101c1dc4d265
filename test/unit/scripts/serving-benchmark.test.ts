import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BENCHMARKS } from '../../../scripts/bench/bench.ts';
import type { Figures, Sample } from '../../../scripts/bench/benchmark.ts';
import { benchmarksPage } from '../../../scripts/bench/benchmarks-page.ts';
import { slopeOf } from '../../../scripts/bench/serving/soak/slope.ts';
import type { VariantName } from '../../../scripts/bench/serving/speed/variant-names.ts';
import { MACHINE } from '../../support/measured-runs.ts';

function pageOf(name: string, samples: Figures['samples']): string {
  const figures: Figures = {
    writtenAt: '2026-01-31T12:00:00.000Z',
    machine: MACHINE,
    rounds: 1,
    isQuick: false,
    samples,
  };
  return benchmarksPage({ [name]: figures }, BENCHMARKS).markdown;
}

function rowOf(page: string, title: string): string {
  const row = page.split('\n').find((line) => line.startsWith(`| ${title}`)) ?? assert.fail(`no row ${title}`);
  return row.replace(/ +/g, ' ');
}

/** Two rounds of the same. */
function loaded(perSecond: number, oneConnectionMedianMs: number): Sample[] {
  const rest = {
    medianMs: 10,
    percentile99Ms: 20,
    serverMicroseconds: 300,
    clientMicroseconds: 25,
    oneConnectionPercentile99Ms: 2,
  };
  return [0, 1].map(() => ({ perSecond, oneConnectionMedianMs, ...rest }));
}

const SPEED = {
  'decoding-loop': [
    { perSecond: 1000, cpuMicroseconds: 900 },
    { perSecond: 1100, cpuMicroseconds: 900 },
  ],
  start: [0, 1].map(() => ({ readyMs: 900, proportionalBytes: 200e6, residentBytes: 260e6 })),
  'constant-server': loaded(20_000, 0.05),
  png: loaded(880, 1.5),
  pixels: loaded(4200, 1),
  tensors: loaded(5000, 0.9),
  'two-processes-png': loaded(836, 1.5),
  'two-processes-pixels': loaded(4000, 1),
  'hand-written-pixels': loaded(1500, 0.8),
  'hand-written-pixels-one-thread': loaded(2000, 0.75),
  'hand-written-binary': loaded(2600, 0.4),
  'hand-written-binary-one-thread': loaded(2500, 0.5),
} satisfies Record<VariantName, Sample[]>;

const OVERLOAD = {
  peakPerSecond: 1000,
  unloadedMedianMs: 2,
  unloadedPercentile99Ms: 5,
  offeredPerSecond: 5000,
  goodputPerSecond: 950,
  acceptedMedianMs: 6,
  acceptedPercentile99Ms: 12,
  acceptedSinceSentPercentile99Ms: 11,
  refused: 32_000,
  refusedWithoutRetryAfter: 0,
  refusalMedianMs: 1,
  refusalPercentile99Ms: 9,
  unsentShare: 0,
  lost: 0,
  hung: 0,
  wrong: 0,
  clientCores: 0.5,
  serverMicroseconds: 100,
  largestBytes: 300e6,
};

const SOAK = {
  ...{ sent: 1_000_000, answered: 880_000, refused: 50_000, failed: 0, left: 70_000, lost: 0, hung: 0, wrong: 0 },
  ...{ proportionalBytesBefore: 150e6, proportionalBytesAfter: 250e6, residentBytesAfter: 300e6, seconds: 300 },
  ...{ largestProportionalBytes: 255e6, slopeBytes: 0.1e6, lowestSlopeBytes: -0.2e6, highestSlopeBytes: 0.4e6 },
  ...{ isLeak: 0, plantedBytes: 0 },
};

describe('the serving benchmark', () => {
  test('compares round by round, with the better of the hand-written servers for each figure', () => {
    const page = pageOf('serving', SPEED);
    assert.match(rowOf(page, 'PNG of 28×28, 64'), /at least 80\.0 % \| 84\.0 % \(80\.0 to 88\.0\) \| yes/);
    assert.match(rowOf(page, '`pixels`, 64'), /at least 2\.0 times \| 2\.1 times \| yes/);
    assert.match(rowOf(page, 'binary tensors, 64'), /at least 2\.0 times \| 1\.9 times \| \*\*no\*\*/);
    assert.match(rowOf(page, '`pixels`, one connection'), /at most 0\.30 ms \| 0\.25 ms \| yes/);
    assert.match(rowOf(page, 'binary tensors, one connection'), /0\.50 ms \| \*\*no\*\*/);
    assert.match(rowOf(page, 'two processes against one: PNG'), /\| 95\.0 % \|/);
    assert.match(rowOf(page, 'from its start to ready'), /at most 1\.00 s \| 0\.90 s \| yes/);
    assert.match(rowOf(page, 'memory, idle'), /at most 250 MB \| 200 MB \| yes/);
    assert.match(rowOf(page, 'node:http, constant answers'), /\| 20000 \|.*\| 25 µs \|/);
  });

  test('overload: the batch delay is taken off, and what was lost, wrong or hung is one figure', () => {
    const page = pageOf('serving-overload', {
      pixels: [OVERLOAD],
      tensors: [OVERLOAD],
      photographs: [{ ...OVERLOAD, goodputPerSecond: 890, acceptedPercentile99Ms: 12.1, wrong: 1, hung: 2 }],
    });
    assert.match(rowOf(page, '`pixels` of one image: answered'), /95\.0 % \| yes/);
    assert.match(rowOf(page, '`pixels` of one image: 99th percentile of the accepted'), /2\.0 times \| yes/);
    assert.match(rowOf(page, 'JPEG of 1024×768: answered'), /89\.0 % \| \*\*no\*\*/);
    assert.match(rowOf(page, 'JPEG of 1024×768: 99th percentile of the accepted'), /2\.0 times \| \*\*no\*\*/);
    assert.match(rowOf(page, 'JPEG of 1024×768: lost, wrong or hung'), /at most 0 \| 3 \| \*\*no\*\*/);
  });

  test('soak: a leak that grows is a missed goal, and so is a planted one that goes unseen', () => {
    const planted = { ...SOAK, isLeak: 1, plantedBytes: 1024 };
    const good = pageOf('serving-soak', { service: [SOAK], 'planted-leak': [planted] });
    assert.doesNotMatch(good, /\*\*no\*\*/);
    assert.match(rowOf(good, 'the service'), /0\.10 MB \(-0\.20 to 0\.40\)/);
    assert.match(rowOf(good, 'the same with a leak of 1024 bytes'), /MB/);
    const bad = pageOf('serving-soak', { service: [planted], 'planted-leak': [SOAK] });
    assert.match(rowOf(bad, 'rounds in which memory grew'), /\*\*no\*\*/);
    assert.match(rowOf(bad, 'rounds in which the planted leak was caught'), /\*\*no\*\*/);
  });
});

describe('the slope of memory', () => {
  test('of a line is its own, without doubt', () => {
    const { slope, lowest, highest } = slopeOf([1, 2, 3, 4].map((x) => ({ x, y: 5 + 3 * x })));
    for (const value of [slope, lowest, highest]) assert.ok(Math.abs(value - 3) < 1e-9, String(value));
  });

  test('has the interval of a textbook', () => {
    // By hand, n = 5:
    // x = 1 to 5, y = 2, 4, 5, 4, 5: slope 0.6, residual squares 2.4, se = sqrt(0.8 / 10) = 0.28284, t(0.025, 3) = 3.18245.
    const { slope, lowest, highest } = slopeOf([2, 4, 5, 4, 5].map((y, index) => ({ x: index + 1, y })));
    assert.ok(Math.abs(slope - 0.6) < 1e-9);
    assert.ok(Math.abs(highest - (0.6 + 0.90015)) < 0.01, String(highest));
    assert.ok(Math.abs(lowest - (0.6 - 0.90015)) < 0.01, String(lowest));
  });

  test('of two points is refused', () => {
    assert.throws(() => slopeOf([1, 2].map((x) => ({ x, y: x }))), RangeError);
  });
});
