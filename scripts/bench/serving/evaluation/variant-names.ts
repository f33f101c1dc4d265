/** The kinds of PNG files as which the test images are evaluated. */
export const PICTURES = { grey: 'grey PNG', rgb: 'RGB PNG' } as const;
export type PictureKind = keyof typeof PICTURES;
export const PICTURE_KINDS = Object.keys(PICTURES) as PictureKind[];

/** What predictions are measured beside: nothing, an evaluation of such files, or uploads of them. */
export const ALONE = 'alone';
export const UPLOADS = 'uploads';
export const BESIDE = [ALONE, ...PICTURE_KINDS, UPLOADS] as const;
export type Beside = (typeof BESIDE)[number];
export const BESIDE_IN_WORDS: Record<Exclude<Beside, typeof ALONE>, string> = {
  grey: `an evaluation of ${PICTURES.grey}`,
  rgb: `an evaluation of ${PICTURES.rgb}`,
  [UPLOADS]: 'uploads',
};

/** As `?explain=` has them. */
export const METHODS = ['gradient', 'occlusion'] as const;
export type Method = (typeof METHODS)[number];

/** Sets that are evaluated, and what others wait for meanwhile; each in a service of its own. */
export const SETS = 'sets';
export const REQUESTS = 'requests';
export const VARIANT_NAMES = [SETS, REQUESTS] as const;
export type VariantName = (typeof VARIANT_NAMES)[number];

/** Where the time of an evaluation goes, as its report has it. */
export const STEPS = ['receive', 'read', 'decode', 'predict', 'count', 'digest'] as const;

/** Requests a second that are measured beside evaluations. */
export const ONLINE_RATE = 100;
