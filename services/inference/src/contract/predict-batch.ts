import { ERROR_CODES } from '@atelier/domain';
import { z } from 'zod';
import { Prediction, PredictQuery } from './predict.ts';

/** That of `POST /predict`, but that nothing is explained. */
export const PredictBatchQuery = z
  .strictObject(PredictQuery.shape)
  .omit({ explain: true })
  .refine(({ version, label }) => version === undefined || label === undefined, {
    path: ['label'],
    message: 'expected a version or a label; came both',
  });

const place = {
  index: z.int().min(0).describe('Of the image in the request, counted from 0'),
  name: z.string().describe('Of the file, as it came'),
};

/** A line of the answer. */
export const BatchLine = z.union([
  Prediction.omit({ explanation: true }).extend(place),
  z.strictObject({
    ...place,
    error: z
      .strictObject({ code: z.enum(ERROR_CODES), detail: z.string() })
      .describe('Why there is no prediction of this image; docs/errors.md explains the codes'),
  }),
]);
export type BatchLine = z.infer<typeof BatchLine>;
