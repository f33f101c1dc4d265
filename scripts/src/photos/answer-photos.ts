import { argmax, type ClassName, className } from '@atelier/domain';
import type { Predictor } from '@atelier/inference';
import type { AnsweredPhoto } from './photo-results.ts';
import type { Photo } from './photo-set.ts';
import { type Way, WAYS } from './ways.ts';

/** A picture as a file. */
export interface RenderedPhoto extends Photo {
  file: Buffer;
}

/** The label that the model gives each picture, by each of `WAYS`. */
export async function answerPhotos(photos: readonly RenderedPhoto[], predictor: Predictor): Promise<AnsweredPhoto[]> {
  const answered: AnsweredPhoto[] = [];
  for (const { file, name, label, stratum, isLighter, isMirrored } of photos) {
    const answers: Record<string, ClassName> = {};
    for (const [wayName, way] of Object.entries<Way>(WAYS))
      answers[wayName] = className(argmax((await way.answer(file, predictor)).probabilities));
    answered.push({ name, label, stratum, isLighter, isMirrored, answers });
  }
  return answered;
}
