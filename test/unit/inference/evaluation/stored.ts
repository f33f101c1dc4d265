import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import {
  BulkTurns,
  type LabelledSet,
  OnlineTraffic,
  openSetOf,
  Scratch,
  type SetLimits,
  type SetOpening,
  type SetPart,
  StoredFile,
} from '@atelier/inference';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

export const LIMITS: SetLimits = {
  maximumUploadBytes: 10_000_000,
  maximumScratchBytes: 20_000_000,
  maximumEntries: 1_000,
  maximumEntryBytes: 1_000_000,
  maximumUnpackedBytes: 10_000_000,
  maximumRatio: 100,
};

/** A folder for scratch files and others, gone after the test, and what it takes to open a set beside it. */
export async function openingFor(
  context: TestContext,
  limits = LIMITS,
): Promise<SetOpening & { folder: string; abort: () => void }> {
  const folder = await temporaryFolder();
  context.after(() => folder.remove());
  const leaving = new AbortController();
  return {
    folder: folder.path,
    ...{ limits, scratch: new Scratch(folder.path, limits), turns: new BulkTurns(new OnlineTraffic()) },
    ...{ signal: leaving.signal, abort: () => leaving.abort(new Error('The client has left.')) },
  };
}

/** Files with these contents as a set, closed after the test. */
export async function setOf(
  context: TestContext,
  files: Record<string, Uint8Array>,
  limits: Partial<SetLimits> = {},
): Promise<LabelledSet> {
  return setIn(context, await openingFor(context, { ...LIMITS, ...limits }), files);
}

/** The same beside others of this opening. */
export async function setIn(
  context: TestContext,
  opening: Awaited<ReturnType<typeof openingFor>>,
  files: Record<string, Uint8Array>,
): Promise<LabelledSet> {
  const { folder } = opening;
  const stored: StoredFile[] = [];
  for (const [name, bytes] of Object.entries(files)) {
    await writeFile(join(folder, name), bytes);
    stored.push(new StoredFile({ name, bytes: bytes.length, handle: await open(join(folder, name)) }));
  }
  const set = await openSetOf(stored, opening);
  context.after(() => set.close());
  return set;
}

export async function partsOf(set: LabelledSet): Promise<SetPart[]> {
  const parts: SetPart[] = [];
  for await (const part of set.parts()) parts.push(part);
  return parts;
}

/** Name and label of each file, and name and code of each skipped entry, in their order; of images as pixels in that of a part. */
export async function contentsOf(set: LabelledSet): Promise<string[]> {
  return (await partsOf(set)).flatMap((part) => {
    if (part.kind === 'files') return part.files.map((one) => `${one.name}: ${'code' in one ? one.code : one.label}`);
    const skipped = part.skipped.map(({ name, code }) => `${name}: ${code}`);
    return [...part.names.map((name, row) => `${name}: ${part.labels[row]}`), ...skipped];
  });
}
