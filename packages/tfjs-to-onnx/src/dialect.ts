/** Whose meaning a setting has where TensorFlow.js ignores what Keras follows. */
export type Semantics = 'tfjs' | 'keras';

/** What the file says of its origin, as far as it changes the arithmetic. */
export interface Dialect {
  readonly semantics: Semantics;
  /** Whether the caller said so; otherwise it follows from who wrote the file. */
  readonly isChosen: boolean;
  /** Keras 3 has a few other defaults; TensorFlow.js itself cannot read its files. */
  readonly isKeras3: boolean;
}

/** What a file says of its origin. */
export interface Origin {
  generatedBy: string | undefined;
  kerasVersion: string | undefined;
  /** Whether it has something that only Keras 3 writes: scripts that mend such files for TensorFlow.js claim other versions. */
  hasKeras3Forms: boolean;
}

/** Files that TensorFlow.js wrote mean what it computes; all others mean what Keras does. */
export function dialectOf(
  { generatedBy, kerasVersion, hasKeras3Forms }: Origin,
  chosen: Semantics | undefined,
): Dialect {
  const isByTfjs = /^TensorFlow\.js/i.test(generatedBy ?? '') || /^tfjs/i.test(kerasVersion ?? '');
  return {
    semantics: chosen ?? (isByTfjs ? 'tfjs' : 'keras'),
    isChosen: chosen !== undefined,
    isKeras3: hasKeras3Forms || (kerasVersion ?? '').startsWith('3.'),
  };
}
