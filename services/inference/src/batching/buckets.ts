/**
 * The batch sizes that a model is run with; a batch is padded to the next. Few, so that each can be warmed before the
 * model answers anybody (a GPU chooses its algorithms by shape), and close together, because a row of padding costs as
 * much as a real one. The largest keeps a run short, so that nobody waits long for an engine.
 */
export const BUCKETS = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64] as const;

export const MAXIMUM_ROWS = BUCKETS[BUCKETS.length - 1] ?? 1;

/** The smallest bucket for `rows`, 1 to `MAXIMUM_ROWS`. */
export function bucketFor(rows: number): number {
  return BUCKETS.find((bucket) => bucket >= rows) ?? MAXIMUM_ROWS;
}
