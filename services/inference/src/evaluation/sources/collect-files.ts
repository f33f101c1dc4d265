import { FILES_PER_PART, PART_BYTES, type SkippedEntry } from './labelled-set.ts';
import type { PackedFile } from './packed-file.ts';

/** Files one by one become parts that are worth a message each; the order stays, and no part is empty. */
export async function* collected<File extends { file: PackedFile }>(
  files: AsyncIterable<File | SkippedEntry>,
): AsyncGenerator<(File | SkippedEntry)[], void, undefined> {
  let part: (File | SkippedEntry)[] = [];
  let bytes = 0;
  for await (const one of files) {
    part.push(one);
    bytes += 'file' in one ? one.file.stored.length : 0;
    if (part.length < FILES_PER_PART && bytes < PART_BYTES) continue;
    yield part;
    [part, bytes] = [[], 0];
  }
  if (part.length > 0) yield part;
}
