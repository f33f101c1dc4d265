import { type Chart, COLOURS, percent } from '@atelier/reports';
import type { Dimension, SearchSpace } from '../../searches/space.ts';
import type { TrialValues } from '../../searches/sample-recipes.ts';
import { valueText } from '../../searches/values-in-words.ts';

/** A trial of a search, as a line. */
export interface TrialLine {
  number: number;
  values: TrialValues;
  /** Null where nothing was measured: its line ends before the last axis. */
  accuracy: number | null;
  /** Trained to its end; the others are thin and pale. */
  isWhole: boolean;
}

/** A place on an axis from 0, left, to 1, right. */
interface Tick {
  at: number;
  label: string;
}

const WIDTH = 460;
const ROW_HEIGHT = 52;
/** As many characters stand between two choices without touching. */
const CHARACTERS = 66;
const LAST_AXIS = 'Validation accuracy';

/**
 * An axis for each dimension, one below the other so that their names can be long, and validation accuracy as the last;
 * a line for each trial, orange where it is among the best and blue where it is not.
 */
export function parallelCoordinatesChart(space: SearchSpace, trials: readonly TrialLine[]): Chart {
  const names = [...Object.keys(space), LAST_AXIS];
  const accuracies = trials.flatMap(({ accuracy }) => accuracy ?? []);
  const across = { domain: [0, 1] };
  const down = { domain: [0, names.length - 1], reverse: true };
  const ends: string[] = [COLOURS.blue.light, COLOURS.vermilion.light];
  // By way of grey; the default takes a turn through pink.
  const colours = { ...across, range: ends, interpolate: 'rgb' } as const;
  const position = {
    x: { field: 'at', type: 'quantitative', scale: across, axis: null },
    y: { field: 'axis', type: 'quantitative', scale: down, axis: null },
  } as const;
  const points = trials.flatMap((trial) => pointsOf(trial, space, accuracies));
  const ticks = [...Object.values(space).map(ticksOf), accuracyTicks(accuracies)].flatMap((each, axis) =>
    each.map((tick) => ({ ...tick, axis })),
  );
  const lines = (isWhole: boolean, strokeWidth: number, opacity: number) =>
    ({
      data: { values: points.filter((point) => point.isWhole === isWhole) },
      mark: { type: 'line', strokeWidth, opacity, strokeJoin: 'round' },
      encoding: {
        ...position,
        detail: { field: 'trial' },
        order: { field: 'axis' },
        color: { field: 'rank', type: 'quantitative', scale: colours, legend: null },
      },
    }) as const;
  return {
    name: 'parallel-coordinates',
    title: 'What was tried, and what came of it',
    description: describe(space, trials),
    spec: {
      width: WIDTH,
      height: ROW_HEIGHT * (names.length - 1),
      layer: [
        {
          data: { values: names.map((name, axis) => ({ name, axis, at: 0, end: 1 })) },
          mark: { type: 'rule', color: COLOURS.grey.light },
          encoding: { ...position, x2: { field: 'end' } },
        },
        lines(false, 1.2, 0.65),
        lines(true, 2.5, 0.95),
        {
          data: { values: ticks },
          mark: { type: 'tick', orient: 'vertical', size: 8, thickness: 1, color: COLOURS.grey.light },
          encoding: position,
        },
        {
          data: { values: ticks },
          mark: { type: 'text', baseline: 'top', dy: 7, fontSize: 11, color: COLOURS.muted.light },
          encoding: { ...position, text: { field: 'label' } },
        },
        {
          data: { values: names.map((name, axis) => ({ name, axis, at: 0 })) },
          mark: { type: 'text', align: 'right', baseline: 'middle', dx: -30 },
          encoding: { ...position, text: { field: 'name' } },
        },
      ],
    },
  };
}

function pointsOf({ number, values, accuracy, isWhole }: TrialLine, space: SearchSpace, accuracies: readonly number[]) {
  // By place among the others: one failed trial would make all others one colour.
  const worse = accuracies.filter((other) => accuracy !== null && other < accuracy).length;
  const line = { trial: number, isWhole, rank: accuracies.length < 2 ? 1 : worse / (accuracies.length - 1) };
  const points = Object.entries(space).map(([pointer, dimension], axis) => ({
    ...line,
    axis,
    at: placeOn(dimension, values[pointer]),
  }));
  if (accuracy === null) return points;
  return [...points, { ...line, axis: points.length, at: placeOnAccuracies(accuracies, accuracy) }];
}

function placeOn(dimension: Dimension, value: unknown): number {
  if (dimension.kind === 'choice') {
    const index = dimension.values.findIndex((each) => JSON.stringify(each) === JSON.stringify(value));
    return choicePlace(index, dimension.values.length);
  }
  const scale = dimension.kind === 'log-uniform' ? Math.log : Number;
  const [low, high] = [scale(dimension.minimum), scale(dimension.maximum)];
  return (scale(Number(value)) - low) / (high - low);
}

/** In the middle of its share of the axis, so that the labels at the ends have room. */
function choicePlace(index: number, count: number): number {
  return (index + 0.5) / count;
}

function ticksOf(dimension: Dimension): Tick[] {
  if (dimension.kind === 'choice') {
    const { values } = dimension;
    const room = Math.floor(CHARACTERS / values.length);
    const step = Math.ceil(values.length / (CHARACTERS / 4)); // labels of fewer than 4 characters say nothing
    return values.map((value, index) => ({
      at: choicePlace(index, values.length),
      label: index % step === 0 ? shortened(valueText(value), room * step) : '',
    }));
  }
  const { kind, minimum, maximum } = dimension;
  const middle = kind === 'log-uniform' ? Math.sqrt(minimum * maximum) : (minimum + maximum) / 2;
  return [minimum, ...(kind === 'integer' ? [] : [middle]), maximum].map((value) => ({
    at: placeOn(dimension, value),
    label: valueText(value),
  }));
}

function shortened(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, Math.max(1, length - 1))}…`;
}

/** By the logarithm of the mistakes: the best trials differ little, and a failed one by far. */
function placeOnAccuracies(accuracies: readonly number[], accuracy: number): number {
  const mistakes = (share: number) => -Math.log(Math.max(1 - share, 1e-4));
  const [low, high] = [mistakes(Math.min(...accuracies)), mistakes(Math.max(...accuracies))];
  return high === low ? 1 : (mistakes(accuracy) - low) / (high - low);
}

function accuracyTicks(accuracies: readonly number[]): Tick[] {
  if (accuracies.length === 0) return [];
  return [...new Set([Math.min(...accuracies), Math.max(...accuracies)])].map((accuracy) => ({
    at: placeOnAccuracies(accuracies, accuracy),
    label: percent(accuracy),
  }));
}

function describe(space: SearchSpace, trials: readonly TrialLine[]): string {
  const measured = trials.filter(({ accuracy, isWhole }) => accuracy !== null && isWhole);
  const best = measured.sort((one, other) => (other.accuracy ?? 0) - (one.accuracy ?? 0))[0];
  const counts = `${trials.length} trials, ${trials.filter(({ isWhole }) => isWhole).length} of them trained to the end.`;
  if (best === undefined) return counts;
  const values = Object.keys(space).map((pointer) => `${pointer} ${valueText(best.values[pointer])}`);
  return `${counts} The best is trial ${best.number} with ${percent(best.accuracy ?? 0)}: ${values.join(', ')}.`;
}
