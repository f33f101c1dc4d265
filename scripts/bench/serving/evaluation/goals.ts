import { spread } from '../../../src/measurements/statistics.ts';
import type { Figures } from '../../benchmark.ts';
import { type MeasuredGoal, roundByRound, valuesOf } from '../../goal-table.ts';
import { ALONE, BESIDE, BESIDE_IN_WORDS, METHODS, PICTURE_KINDS, PICTURES, REQUESTS, SETS } from './variant-names.ts';

type Samples = Figures['samples'];

/** What evaluation and explanations are to reach. */
export function goalsOf(samples: Samples): MeasuredGoal[] {
  return [
    {
      title: '10,000 test images as IDX: from the first byte that is sent to the answer',
      found: spread(valuesOf(samples, SETS, 'idx.seconds')),
      unit: 's',
      goal: { atMost: 1 },
    },
    ...PICTURE_KINDS.flatMap((kind): MeasuredGoal[] => {
      const share = (loop: string) => spread(valuesOf(samples, SETS, `${kind}.${loop}.share`));
      const title = `the same as ${PICTURES[kind]} in a ZIP`;
      const goal = { atLeast: 0.9 };
      return [
        { title: `${title}: share of a bare decoding loop of sharp`, found: share('sharpLoop'), unit: '%', goal },
        { title: `${title}: share of a bare loop of the same decoder`, found: share('loop'), unit: '%', goal },
        {
          title: `${title}: share of two such loops beside each other`,
          found: share('twoLoops'),
          unit: '%',
          goal: null,
        },
      ];
    }),
    ...BESIDE.filter((beside) => beside !== ALONE).flatMap((beside): MeasuredGoal[] => {
      const against = (name: string) =>
        roundByRound(
          valuesOf(samples, REQUESTS, `${beside}.${name}`),
          valuesOf(samples, REQUESTS, `${ALONE}.${name}`),
          (loaded, alone) => loaded / alone,
        );
      const title = `\`POST /predict\` beside ${BESIDE_IN_WORDS[beside]}`;
      return [
        { title: `${title}: median, of that without`, found: against('medianMs'), unit: '%', goal: { atMost: 1.25 } },
        {
          title: `${title}: 99th percentile, of that without`,
          found: against('percentile99Ms'),
          unit: 'times',
          goal: { atMost: 2 },
        },
      ];
    }),
    ...METHODS.flatMap((method): MeasuredGoal[] => {
      const extra = (name: string) => spread(valuesOf(samples, REQUESTS, `${method}.${name}`));
      const title = `\`?explain=${method}\`: what it adds to a prediction`;
      const goal = { atMost: 50 };
      return [
        { title: `${title}, median`, found: extra('medianMs'), unit: 'ms', goal },
        { title: `${title}, 99th percentile`, found: extra('percentile99Ms'), unit: 'ms', goal },
      ];
    }),
  ];
}
