import { FILES_PER_PART, type LabelledFile, PART_BYTES, type SetPart, type SkippedEntry } from './labelled-set.ts';

/** Files one by one become parts that are worth a message each; the order stays. */
export async function* collected(
  files: AsyncIterable<LabelledFile | SkippedEntry>,
): AsyncGenerator<SetPart, void, undefined> {
  let part: LabelledFile[] = [];
  let bytes = 0;
  for await (const file of files) {
    if ('code' in file) {
      if (part.length > 0) yield { kind: 'files', files: part };
      [part, bytes] = [[], 0];
      yield { kind: 'skipped', entry: file };
      continue;
    }
    part.push(file);
    bytes += file.file.stored.length;
    if (part.length < FILES_PER_PART && bytes < PART_BYTES) continue;
    yield { kind: 'files', files: part };
    [part, bytes] = [[], 0];
  }
  if (part.length > 0) yield { kind: 'files', files: part };
}
