import { DomainError, hasCode, type Recipe } from '@atelier/domain';
import { prepareTraining } from '../train.ts';

/** `prepareTraining` of a recipe that came in a request: when it expects another file than the teacher's, it is `invalid-recipe`. */
export async function prepareRequested(
  recipe: Recipe,
  runsDirectory: string,
  publish: Parameters<typeof prepareTraining>[2],
): Promise<void> {
  try {
    await prepareTraining(recipe, runsDirectory, publish);
  } catch (error) {
    if (!hasCode(error, 'digest-mismatch')) throw error;
    throw new DomainError('invalid-recipe', `distillation.digest: ${error.message}`, { cause: error });
  }
}
