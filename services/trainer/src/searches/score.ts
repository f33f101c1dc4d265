/** The validation images after an epoch. */
export interface Validation {
  epoch: number;
  accuracy: number;
  /** In nats. */
  loss: number;
}

/**
 * What a trial is worth after `epoch` epochs: its best validation accuracy up to then, and the epoch that had it (the
 * one with the lower loss, then the earlier, among equals); null before the first. The best so far, not the last: it is
 * the same measure for a run that ended by itself before `epoch` and for one that merely had a bad epoch there.
 */
export function scoreAt(validation: readonly Validation[], epoch: number): Validation | null {
  const known = validation.filter((each) => each.epoch <= epoch);
  return known.sort((one, other) => compareScores(one, other) || one.epoch - other.epoch)[0] ?? null;
}

/** For sorting, the best first: by accuracy, then by lower loss; nothing comes last. */
export function compareScores(one: Validation | null, other: Validation | null): number {
  if (one === null || other === null) return Number(one === null) - Number(other === null);
  return other.accuracy - one.accuracy || one.loss - other.loss;
}
