import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type LabelledSet, openSetOf, Scratch, type SetLimits, type SetPart, StoredFile } from '@atelier/inference';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

export const LIMITS: SetLimits = {
  maximumUploadBytes: 10_000_000,
  maximumScratchBytes: 20_000_000,
  maximumEntries: 1_000,
  maximumEntryBytes: 1_000_000,
  maximumUnpackedBytes: 10_000_000,
  maximumRatio: 100,
};

/** A folder for scratch files and others, gone after the test. */
export async function scratchFor(context: TestContext, limits = LIMITS): Promise<{ scratch: Scratch; folder: string }> {
  const folder = await temporaryFolder();
  context.after(() => folder.remove());
  return { scratch: new Scratch(folder.path, limits), folder: folder.path };
}

/** Files with these contents as a set, closed after the test. */
export async function setOf(
  context: TestContext,
  files: Record<string, Uint8Array>,
  limits: Partial<SetLimits> = {},
): Promise<LabelledSet> {
  const whole = { ...LIMITS, ...limits };
  const { scratch, folder } = await scratchFor(context, whole);
  const stored: StoredFile[] = [];
  for (const [name, bytes] of Object.entries(files)) {
    await writeFile(join(folder, name), bytes);
    stored.push(new StoredFile({ name, bytes: bytes.length, handle: await open(join(folder, name)) }));
  }
  const set = await openSetOf(stored, whole, scratch);
  context.after(() => set.close());
  return set;
}

export async function partsOf(set: LabelledSet): Promise<SetPart[]> {
  const parts: SetPart[] = [];
  for await (const part of set.parts()) parts.push(part);
  return parts;
}

/** Name and label of each file, and name and code of each skipped entry, in their order. */
export async function contentsOf(set: LabelledSet): Promise<string[]> {
  return (await partsOf(set)).flatMap((part) => {
    if (part.kind === 'skipped') return [`${part.entry.name}: ${part.entry.code}`];
    if (part.kind === 'pixels') return part.names.map((name, row) => `${name}: ${part.labels[row]}`);
    return part.files.map(({ name, label }) => `${name}: ${label}`);
  });
}
