import { z } from 'zod';

const fraction = z.number().min(0).max(1);
const factor = z.number().gt(0).lt(1);

/** How the learning rate follows the steps of a training; fractions are of the optimiser's learning rate, the peak. */
export const Schedule = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('constant').describe('The peak throughout') }),
  z.strictObject({
    kind: z.literal('step').describe('Multiplied by a factor after every so many epochs'),
    everyEpochs: z.int().positive().describe('Epochs between two reductions'),
    factor: factor.describe('What a reduction multiplies the rate by'),
  }),
  z.strictObject({
    kind: z
      .literal('cosine')
      .describe('Half a cosine from the peak down (arXiv 1608.03983, equation 5, without restarts)'),
    warmUpEpochs: z.number().min(0).default(0).describe('Epochs of a linear rise from 0 before it'),
    finalFraction: fraction.default(0).describe('Of the peak learning rate, approached as training ends'),
  }),
  z.strictObject({
    kind: z
      .literal('one-cycle')
      .describe("Half a cosine up, half a cosine down (arXiv 1708.07120, as PyTorch's OneCycleLR; momentum stays)"),
    warmUpShare: z.number().min(0).lt(1).default(0.3).describe('Share of all steps that the rise takes'),
    initialFraction: fraction.default(0.04).describe('Of the peak learning rate, at the first step'),
    finalFraction: fraction.default(4e-6).describe('Of the peak learning rate, at the last step'),
  }),
  z.strictObject({
    kind: z.literal('reduce-on-plateau').describe('Multiplied by a factor when the validation loss stops falling'),
    factor: factor.describe('What a reduction multiplies the rate by'),
    patience: z.int().min(0).describe('Epochs without a lower validation loss before the rate is reduced'),
  }),
]);
export type Schedule = z.infer<typeof Schedule>;
