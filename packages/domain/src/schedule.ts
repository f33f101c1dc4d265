import { z } from 'zod';
import { numberIn, wholeNumberIn } from './numbers.ts';

const fraction = numberIn({ from: 0, to: 1 });
const factor = numberIn({ above: 0, below: 1 });

/** How the learning rate follows the steps of a training; fractions are of the optimiser's learning rate, the peak. */
export const Schedule = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('constant').describe('The peak throughout') }),
  z.strictObject({
    kind: z.literal('step').describe('Multiplied by a factor after every so many epochs'),
    everyEpochs: wholeNumberIn({ above: 0 }).describe('Epochs between two reductions'),
    factor: factor.describe('What a reduction multiplies the rate by'),
  }),
  z.strictObject({
    kind: z
      .literal('cosine')
      .describe('Half a cosine from the peak down (arXiv 1608.03983, equation 5, without restarts)'),
    warmUpEpochs: numberIn({ from: 0 }).default(0).describe('Epochs of a linear rise from 0 before it'),
    finalFraction: fraction.default(0).describe('Of the peak learning rate, approached as training ends'),
  }),
  z.strictObject({
    kind: z
      .literal('one-cycle')
      .describe("Half a cosine up, half a cosine down (arXiv 1708.07120, as PyTorch's OneCycleLR; momentum stays)"),
    warmUpShare: numberIn({ from: 0, below: 1 }).default(0.3).describe('Share of all steps that the rise takes'),
    initialFraction: fraction.default(0.04).describe('Of the peak learning rate, at the first step'),
    finalFraction: fraction.default(4e-6).describe('Of the peak learning rate, at the last step'),
  }),
  z.strictObject({
    kind: z.literal('reduce-on-plateau').describe('Multiplied by a factor when the validation loss stops falling'),
    factor: factor.describe('What a reduction multiplies the rate by'),
    patience: wholeNumberIn({ from: 0 }).describe('Epochs without a lower validation loss before the rate is reduced'),
  }),
]);
export type Schedule = z.infer<typeof Schedule>;
