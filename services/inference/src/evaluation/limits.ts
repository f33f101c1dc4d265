/** What an upload with many pictures may come to; INFERENCE_EVALUATION_* sets them. */
export interface SetLimits {
  /** Of one upload, as it comes, in bytes. */
  maximumUploadBytes: number;
  /** Of all uploads together that lie on the disk at a time, in bytes. */
  maximumScratchBytes: number;
  /** Entries of an archive, whatever they are; lines of a CSV file, and of a file of labels. */
  maximumEntries: number;
  /** Of one entry, unpacked, in bytes. */
  maximumEntryBytes: number;
  /** Of everything in an upload together, unpacked, in bytes. */
  maximumUnpackedBytes: number;
  /** How many times its stored bytes an entry, or a file that came as gzip, may unpack to. */
  maximumRatio: number;
}

/** Below this a file may have any ratio: a page of one colour is no bomb. */
export const RATIO_FROM_BYTES = 64 * 1024;

/** Of a name, in the mean, and in a file of labels with its label. */
const NAME_BYTES = 128;

/**
 * How many bytes the names of a set may have together, and those of a file of labels: names and labels are what is held of
 * a set for as long as it is read.
 */
export function maximumNamesBytes({ maximumEntries }: Pick<SetLimits, 'maximumEntries'>): number {
  return Math.max(64 * 1024, NAME_BYTES * maximumEntries);
}
