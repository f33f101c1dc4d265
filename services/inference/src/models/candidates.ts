import type { Labels } from '@atelier/model-repository';

/**
 * The versions that may be stable, the best first; `newest` are the numbers in the folder, descending. A labelled one that
 * cannot be loaded at the start is followed by what was stable before it and by what is older: what is newer has never
 * been approved. Without a label the newest is, but for the canary, which answers where there is no other.
 */
export function candidates({ stable, canary, previous }: Labels, newest: readonly number[]): number[] {
  const ordered =
    stable === null
      ? [...newest.filter((number) => number !== canary), ...newest]
      : [
          stable,
          ...newest.filter((number) => number === previous),
          ...newest.filter((number) => number < stable),
          ...newest,
        ];
  return [...new Set(ordered)];
}
