import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Manifest, parseManifest } from '@atelier/domain';
import { digestOf } from '@atelier/model-repository';
import { readRun } from '../runs/run-folder.ts';
import type { Run } from '../runs/run.ts';
import { type HistoryEntry, readHistory } from './history.ts';

/** What a run left in its folder. */
export interface RunRecord {
  directory: string;
  run: Run;
  history: readonly HistoryEntry[];
  /** Null where the run did not come to its export. */
  exported: Export | null;
}

export interface Export {
  manifest: Omit<Manifest, 'name' | 'version'>;
  model: Uint8Array;
}

/** Reads a run's folder; `invalid-run` and `invalid-manifest` name what is damaged. */
export async function readRunRecord(directory: string): Promise<RunRecord> {
  const run = await readRun(directory);
  const history = await readHistory(join(directory, 'history.ndjson'));
  return { directory, run, history, exported: await readExport(directory) };
}

async function readExport(directory: string): Promise<Export | null> {
  const path = join(directory, 'manifest.json');
  const model = await contentOf(join(directory, 'model.onnx'));
  const manifest = await contentOf(path); // written after the model
  if (model === null || manifest === null) return null;
  // A run's own manifest lacks what publishing decides; the digest and the size follow from the file.
  const written = JSON.parse(Buffer.from(manifest).toString()) as object;
  const complete = {
    ...written,
    name: 'unpublished',
    version: 1,
    digest: digestOf(model),
    sizeBytes: model.byteLength,
  };
  return { manifest: parseManifest(complete, path), model };
}

async function contentOf(path: string): Promise<Uint8Array | null> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
