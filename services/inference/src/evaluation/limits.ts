/** What an upload with many pictures may come to; INFERENCE_EVALUATION_* sets them. */
export interface SetLimits {
  /** Of one upload, as it comes, in bytes. */
  maximumUploadBytes: number;
  /** Of all uploads together that lie on the disk at a time, in bytes. */
  maximumScratchBytes: number;
  /** Entries of an archive, whatever they are. */
  maximumEntries: number;
  /** Of one entry, unpacked, in bytes. */
  maximumEntryBytes: number;
  /** Of everything in an upload together, unpacked, in bytes. */
  maximumUnpackedBytes: number;
  /** How many times its stored bytes an entry may unpack to. */
  maximumRatio: number;
}
