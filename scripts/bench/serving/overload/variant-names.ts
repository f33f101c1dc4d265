export const VARIANTS_IN_WORDS = {
  photographs: 'JPEG of 1024×768',
  tensors: 'binary tensors of 64 images',
  pixels: '`pixels` of one image',
} as const;
export type OverloadName = keyof typeof VARIANTS_IN_WORDS;

export const VARIANT_NAMES = Object.keys(VARIANTS_IN_WORDS) as OverloadName[];

/** How much more comes than can be answered. */
export const TIMES_CAPACITY = 5;

/** So long a row may wait for others while the engine is busy. */
export const BATCH_DELAY_MS = 2;

/**
 * What whoever wants short answers under overload sets: a queue as long as can be worked off in so long. Not for single
 * images as pixels, of which the thread that takes requests has the most work: there a refusal costs as much as an answer, and
 * the service's own limits let in what comes over the connections that there are.
 */
export const ENVIRONMENT: Record<OverloadName, Record<string, string>> = {
  photographs: environment({ INFERENCE_MAX_QUEUE: 64, INFERENCE_MAX_WAIT_MS: 8 }),
  tensors: environment({ INFERENCE_MAX_QUEUE: 128, INFERENCE_MAX_WAIT_MS: 20 }),
  pixels: environment({}),
};

function environment(limits: Record<string, number>): Record<string, string> {
  return Object.fromEntries(
    Object.entries({ INFERENCE_MAX_DELAY_MS: BATCH_DELAY_MS, ...limits }).map(([name, value]) => [name, String(value)]),
  );
}
