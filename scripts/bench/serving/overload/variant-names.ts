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

/** What whoever wants short answers under overload sets: a queue as long as can be worked off in so long. */
export const ENVIRONMENT: Record<OverloadName, Record<string, string>> = {
  photographs: environment({ maximumQueue: 64, maximumWaitMs: 20 }),
  tensors: environment({ maximumQueue: 192, maximumWaitMs: 20 }),
  pixels: environment({ maximumQueue: 256, maximumWaitMs: 20 }),
};

function environment({ maximumQueue, maximumWaitMs }: { maximumQueue: number; maximumWaitMs: number }) {
  return {
    INFERENCE_MAX_DELAY_MS: String(BATCH_DELAY_MS),
    INFERENCE_MAX_QUEUE: String(maximumQueue),
    INFERENCE_MAX_WAIT_MS: String(maximumWaitMs),
  };
}
