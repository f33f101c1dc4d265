import { z } from 'zod';
import { Digest } from './digest.ts';
import { numberIn } from './numbers.ts';

/** Another model as the source of the targets (arXiv 1503.02531). */
export const Distillation = z.strictObject({
  teacher: z
    .string()
    .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'lower-case words and digits joined by hyphens')
    .max(64)
    .describe(
      'Name of a file in `services/trainer/teachers/`, without `.onnx`: a graph of the form of a published model',
    ),
  digest: Digest.describe('Of that file: another teacher makes another model'),
  share: numberIn({ above: 0, to: 1 })
    .default(1)
    .describe(
      "Share of a target that is the teacher's answer to the very image that is trained on, augmented and mixed as it is " +
        '(arXiv 2106.05237); the rest is the target that the labels give',
    ),
  temperature: numberIn({ from: 0.1, to: 100 })
    .default(1)
    .describe("Divides the teacher's logits: above 1 its answers are softer"),
});
export type Distillation = z.infer<typeof Distillation>;
