import { join } from 'node:path';
import { DomainError, type Manifest, messageOf, parseManifest } from '@atelier/domain';
import { digestOf } from '@atelier/model-repository';
import { type HistoryEntry, readHistory } from './history.ts';
import { readRun } from './run-folder.ts';
import { type BegunRun, isBegun, readBytes, readText } from './run.ts';

/** What a run left in its folder. */
export interface RunRecord {
  directory: string;
  run: BegunRun;
  history: readonly HistoryEntry[];
  /** Null where the run did not come to its export. */
  exported: RunExport | null;
}

export interface RunExport {
  manifest: Omit<Manifest, 'name' | 'version'>;
  model: Uint8Array;
}

/** Reads the folder of a run that has begun, else `run-unfinished`; `invalid-run` and `invalid-manifest` name what is damaged. */
export async function readRunRecord(directory: string): Promise<RunRecord> {
  const run = await readRun(directory);
  if (!isBegun(run)) throw new DomainError('run-unfinished', `Run ${run.id} has not begun; there is nothing to show.`);
  const history = await readHistory(join(directory, 'history.ndjson'));
  return { directory, run, history, exported: await readExport(directory) };
}

/** What a run exported, checked; null where it did not come to that. `invalid-manifest` names the field. */
export async function readExport(directory: string): Promise<RunExport | null> {
  const path = join(directory, 'manifest.json');
  const model = await readBytes(join(directory, 'model.onnx'));
  const manifest = await readText(path); // written after the model
  if (model === null || manifest === null) return null;
  // A run's own manifest lacks what publishing decides; the digest and the size follow from the file.
  const written = parseObject(manifest, path);
  const complete = {
    ...written,
    name: 'unpublished',
    version: 1,
    digest: digestOf(model),
    sizeBytes: model.byteLength,
  };
  return { manifest: parseManifest(complete, path), model };
}

function parseObject(text: string, path: string): object {
  try {
    return JSON.parse(text) as object;
  } catch (cause) {
    throw new DomainError('invalid-manifest', `${path} is not JSON: ${messageOf(cause)}`, { cause });
  }
}
