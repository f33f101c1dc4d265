import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { findRecipe } from '@atelier/trainer';
import { BENCHMARKS } from '../../../scripts/bench/bench.ts';
import type { Figures, Sample } from '../../../scripts/bench/benchmark.ts';
import { benchmarksPage } from '../../../scripts/bench/benchmarks-page.ts';
import { operationsByCustom, operationsNeeded } from '../../../scripts/bench/training/floating-point-operations.ts';
import type { VariantName } from '../../../scripts/bench/training/variant-names.ts';
import { MACHINE } from '../../support/measured-runs.ts';

const GOOD = {
  'matrix-peak': [{ gigaflops: 400 }, { gigaflops: 430 }, { gigaflops: 420 }],
  'onnx-batch-64': [{ stepMs: 1.5 }, { stepMs: 1.4 }, { stepMs: 1.6 }],
  'onnx-batch-256': [{ stepMs: 4 }, { stepMs: 4 }, { stepMs: 4 }],
  'tfjs-wasm-batch-64': [{ stepMs: 30 }, { stepMs: 28 }, { stepMs: 32 }],
  'tfjs-wasm-plain-batch-64': [{ stepMs: 60 }, { stepMs: 56 }, { stepMs: 80 }],
  'atelier-epochs': epochs(2, 0.05, 600e6),
  'atelier-epochs-without-augmentation': epochs(1.6, 0.05, 500e6),
  'deep-bn-epochs': epochs(1.3, 0.02, 400e6),
} satisfies Record<VariantName, Sample[]>;

function epochs(epochSeconds: number, checkpointSeconds: number, peakBytes: number): Sample[] {
  return [0, 1, 2].map(() => ({ epochSeconds, checkpointSeconds, peakBytes }));
}

function pageOf(samples: Figures['samples'], isQuick = false): string {
  const figures: Figures = { writtenAt: '2026-01-31T12:00:00.000Z', machine: MACHINE, rounds: 3, isQuick, samples };
  return benchmarksPage({ training: figures }, BENCHMARKS).markdown;
}

function rowOf(page: string, title: string): string {
  return page.split('\n').find((line) => line.startsWith(`| ${title}`)) ?? '';
}

describe('the training benchmark', () => {
  test('counts the operations of a step without the gradient of the images', () => {
    const recipe = { ...findRecipe('ann-128') }; // 784, 128, 10
    const forward = 2 * 32 * (784 * 128 + 128 * 10);
    assert.equal(operationsNeeded(recipe, 32), 2 * forward + 2 * 32 * 128 * 10);
    assert.equal(operationsByCustom(recipe, 32), 3 * forward);
  });

  test('shares of the peak are of the best round', () => {
    const share = (operations: number) => ((operations / 1.5e-3 / 430e9) * 100).toFixed(1);
    const page = pageOf(GOOD);
    const deepBn = findRecipe('deep-bn');
    assert.ok(
      rowOf(page, 'deep-bn, batch 64: share of the matrix peak, by the customary').includes(
        `${share(operationsByCustom(deepBn, 64))} %`,
      ),
    );
    assert.ok(
      rowOf(page, 'deep-bn, batch 64: share of the matrix peak, by the products').includes(
        `${share(operationsNeeded(deepBn, 64))} %`,
      ),
    );
    assert.match(rowOf(page, 'matrix peak, best'), /430 GFLOP\/s/);
  });

  test('two variants are compared round by round, and a goal that is reached says so', () => {
    const page = pageOf(GOOD);
    assert.match(rowOf(page, 'deep-bn, batch 64: an epoch of tfjs'), /40\.0 times \(40\.0 to 50\.0\) \| yes/);
    assert.match(rowOf(page, "atelier: augmentation's share"), /at most 25\.0 % +\| 20\.0 % +\| yes/);
    assert.match(rowOf(page, "deep-bn: the checkpoint's share"), /1\.5 % +\| yes/);
    assert.match(rowOf(page, 'atelier: most memory'), /600 MB +\| yes/);
    assert.doesNotMatch(page, /\*\*no\*\*|quick trial/);
  });

  test('a goal that is missed is marked', () => {
    const page = pageOf({ ...GOOD, 'atelier-epochs': epochs(3, 0.3, 701e6) });
    assert.match(rowOf(page, 'atelier: most memory'), /701 MB +\| \*\*no\*\*/);
    assert.match(rowOf(page, "atelier: augmentation's share"), /46\.7 % +\| \*\*no\*\*/);
    assert.match(rowOf(page, "atelier: the checkpoint's share"), /10\.0 % +\| \*\*no\*\*/);
  });

  test('figures of a quick trial are not passed off as figures', () => {
    assert.match(pageOf(GOOD, true), /\*\*A quick trial/);
  });

  test('a benchmark that was not run has no section', () => {
    assert.doesNotMatch(benchmarksPage({}, BENCHMARKS).markdown, /^## /m);
  });

  test('a sample without its number is an error that names it', () => {
    assert.throws(() => pageOf({ ...GOOD, 'onnx-batch-64': [{}] }), /A sample of onnx-batch-64 has no stepMs/);
  });
});
