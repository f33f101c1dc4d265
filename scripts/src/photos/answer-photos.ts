import { type ClassName, className, mostProbable } from '@atelier/domain';
import { judgeAll, type Outputs, type Predictor } from '@atelier/inference';
import type { AnsweredPhoto } from './photo-results.ts';
import type { Photo } from './photo-set.ts';
import { type Way, WAYS } from './ways.ts';

/** A picture as a file. */
export interface RenderedPhoto extends Photo {
  file: Buffer;
}

/** The label that the model gives each picture, by each of `WAYS`, and how sure it is of the service's. */
export async function answerPhotos(photos: readonly RenderedPhoto[], predictor: Predictor): Promise<AnsweredPhoto[]> {
  const answered: AnsweredPhoto[] = [];
  for (const { file, name, label, stratum, isLighter, isMirrored } of photos) {
    const outputs: Record<string, Outputs> = {};
    for (const [wayName, way] of Object.entries<Way>(WAYS)) outputs[wayName] = await way.answer(file, predictor);
    const answers = Object.fromEntries(Object.entries(outputs).map(([wayName, told]) => [wayName, answerOf(told)]));
    const belief = beliefIn(outputs['service'], predictor);
    answered.push({ name, label, stratum, isLighter, isMirrored, answers, ...belief });
  }
  return answered;
}

function answerOf({ probabilities }: Outputs): ClassName {
  return className(mostProbable(probabilities, 0).classIndex);
}

function beliefIn(outputs: Outputs | undefined, { version }: Predictor): { confidence: number; abstains: boolean } {
  if (outputs === undefined) throw new RangeError('The service has given no answer.');
  const { confidence } = mostProbable(outputs.probabilities, 0);
  return { confidence, abstains: judgeAll(version.manifest, outputs)?.[0]?.abstain ?? false };
}
