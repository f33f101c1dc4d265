import { type CalibrationBin, wilsonInterval } from '@atelier/domain';
import { percent } from '../format.ts';
import type { Chart } from './chart.ts';
import { COLOURS } from './theme.ts';

/** Accuracy against confidence, bin by bin, with 95 % intervals, and below it how many images each bin has. */
export function reliabilityChart(bins: readonly CalibrationBin[], calibrationError: number): Chart {
  const total = bins.reduce((sum, { count }) => sum + count, 0);
  const values = bins
    .filter(({ count }) => count > 0)
    .map(({ lower, upper, count, confidence, correct }) => {
      const [low, high] = wilsonInterval(correct, count);
      return {
        lower,
        upper,
        share: count / total,
        confidence: confidence / count,
        accuracy: correct / count,
        low,
        high,
      };
    });
  const gap = (value: (typeof values)[number]) => Math.abs(value.confidence - value.accuracy) * value.share;
  const heaviest = values.reduce((a, b) => (gap(b) > gap(a) ? b : a));
  const wholeRange = { domain: [0, 1] };
  const x = { scale: wholeRange, axis: { format: '.0%', grid: false, tickCount: 5 } };
  const y = { scale: wholeRange, axis: { format: '.0%', tickCount: 5 }, title: 'Accuracy' };
  return {
    name: 'calibration',
    title: 'Calibration',
    description:
      `Expected calibration error ${percent(calibrationError)}. The bin that adds most to it has confidence ` +
      `${percent(heaviest.confidence, 1)}, accuracy ${percent(heaviest.accuracy, 1)} and ${percent(heaviest.share, 1)} of the images.`,
    spec: {
      data: { values },
      vconcat: [
        {
          width: 340,
          height: 250,
          layer: [
            {
              data: { values: [{ from: 0, to: 1 }] },
              mark: { type: 'rule', strokeDash: [4, 4] },
              encoding: {
                x: { field: 'from', type: 'quantitative' },
                y: { field: 'from', type: 'quantitative' },
                x2: { field: 'to' },
                y2: { field: 'to' },
              },
            },
            {
              mark: { type: 'bar', color: COLOURS.blue.light, opacity: 0.3, binSpacing: 2 },
              encoding: {
                x: { field: 'lower', type: 'quantitative', bin: { binned: true }, ...x, title: null },
                x2: { field: 'upper' },
                y: { field: 'accuracy', type: 'quantitative', ...y },
              },
            },
            {
              mark: { type: 'rule', color: COLOURS.blue.light, strokeWidth: 2 },
              encoding: {
                x: { field: 'confidence', type: 'quantitative' },
                y: { field: 'low', type: 'quantitative' },
                y2: { field: 'high' },
              },
            },
            {
              mark: { type: 'point', filled: true, color: COLOURS.blue.light, size: 50, opacity: 1 },
              encoding: {
                x: { field: 'confidence', type: 'quantitative' },
                y: { field: 'accuracy', type: 'quantitative' },
              },
            },
          ],
        },
        {
          width: 340,
          height: 60,
          mark: { type: 'bar', color: COLOURS.grey.light, binSpacing: 2 },
          encoding: {
            x: {
              field: 'lower',
              type: 'quantitative',
              bin: { binned: true },
              ...x,
              title: 'Confidence (top probability)',
            },
            x2: { field: 'upper' },
            y: {
              field: 'share',
              type: 'quantitative',
              title: 'Images',
              axis: { format: '.0%', tickCount: 3 },
            },
          },
        },
      ],
      spacing: 12,
    },
  };
}
