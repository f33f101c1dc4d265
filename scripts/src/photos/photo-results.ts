import {
  calibrationError,
  CLASS_NAMES,
  type ClassName,
  countInBin,
  emptyCalibrationBins,
  wilsonInterval,
} from '@atelier/domain';
import { z } from 'zod';
import type { Photo } from './photo-set.ts';
import { STRATA } from './scene/strata.ts';

const count = z.int().min(0);

/** How many of some pictures got their label, by the way that was taken. */
const Row = z.strictObject({
  name: z.string(),
  pictures: count,
  correct: z.record(z.string(), count).describe('By the name of the way'),
});
export type Row = z.infer<typeof Row>;

/** The figures of the drawn photos, as `photos.json` has them. */
export const PhotoResults = z.strictObject({
  writtenAt: z.iso.datetime(),
  seed: z.int().min(0),
  model: z.strictObject({ name: z.string(), version: z.int().positive(), digest: z.string() }),
  preprocessing: z.string(),
  groups: z.array(Row),
  strata: z.array(Row),
  polarities: z.array(Row),
  directions: z.array(Row),
  /** Of the service's answers. */
  belief: z.strictObject({
    calibrationError: z.number().min(0).max(1),
    abstained: count,
    /** Of those on which it did not abstain, how many were right. */
    correctOfOthers: count,
  }),
});
export type PhotoResults = z.infer<typeof PhotoResults>;

/** A picture with the label that each way gave it. */
export interface AnsweredPhoto extends Pick<Photo, 'name' | 'label' | 'stratum' | 'isLighter' | 'isMirrored'> {
  answers: Readonly<Record<string, ClassName>>;
  /** The probability of the service's answer. */
  confidence: number;
  /** Whether it is not to be believed. */
  abstains: boolean;
}

const SHOES: readonly ClassName[] = ['Sandal', 'Sneaker', 'Ankle boot'];
const BAGS: readonly ClassName[] = ['Bag'];
const isShoe = ({ label }: AnsweredPhoto) => SHOES.includes(label);
const isBag = ({ label }: AnsweredPhoto) => BAGS.includes(label);

/** The tables that the answers come to. */
export function tabulate(
  photos: readonly AnsweredPhoto[],
): Pick<PhotoResults, 'groups' | 'strata' | 'polarities' | 'directions' | 'belief'> {
  const row = (name: string, isIn: (photo: AnsweredPhoto) => boolean): Row => rowOf(name, photos.filter(isIn));
  return {
    groups: [
      row('all', () => true),
      row('shoes', isShoe),
      row('bags', isBag),
      row('clothes', (photo) => !isShoe(photo) && !isBag(photo)),
      ...CLASS_NAMES.map((name) => row(name, ({ label }) => label === name)),
    ],
    strata: STRATA.map(({ name, title }) => row(title, ({ stratum }) => stratum === name)),
    polarities: [
      row('garment lighter than its ground', ({ isLighter }) => isLighter === true),
      row('garment darker than its ground', ({ isLighter }) => isLighter === false),
    ],
    directions: [
      row('shoes with toes to the left, as in the data set', (photo) => isShoe(photo) && !photo.isMirrored),
      row('shoes with toes to the right', (photo) => isShoe(photo) && photo.isMirrored),
    ],
    belief: beliefIn(photos),
  };
}

function beliefIn(photos: readonly AnsweredPhoto[]): PhotoResults['belief'] {
  const bins = emptyCalibrationBins();
  const isRight = ({ answers, label }: AnsweredPhoto) => answers['service'] === label;
  for (const photo of photos) countInBin(bins, Math.min(1, photo.confidence), isRight(photo));
  const others = photos.filter(({ abstains }) => !abstains);
  return {
    calibrationError: calibrationError(bins),
    abstained: photos.length - others.length,
    correctOfOthers: others.filter(isRight).length,
  };
}

function rowOf(name: string, photos: readonly AnsweredPhoto[]): Row {
  const correct: Record<string, number> = {};
  for (const { label, answers } of photos)
    for (const [way, answer] of Object.entries(answers)) correct[way] = (correct[way] ?? 0) + Number(answer === label);
  return { name, pictures: photos.length, correct };
}

/** "72 % (68 to 76)", the 95 % interval of the share in brackets. */
export function shareInWords({ pictures, correct }: Row, way: string): string {
  const right = correct[way];
  if (right === undefined || pictures === 0) return '';
  const percent = (share: number) => (100 * share).toFixed(0);
  const [low, high] = wilsonInterval(right, pictures);
  return `${percent(right / pictures)} % (${percent(low)} to ${percent(high)})`;
}
