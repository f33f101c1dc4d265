import { join } from 'node:path';
import { DomainError, type GoldenVectors, messageOf } from '@atelier/domain';
import {
  checkGolden,
  decodeGoldenImages,
  digestOf,
  listVersions,
  publishVersion,
  type PublishedVersion,
  readModel,
  type VersionContent,
} from '@atelier/model-repository';
import { LAYERS_MODEL_PATHS } from './export/layers-model-files.ts';
import { OnnxModel, type Predictions } from './export/onnx-model.ts';
import { readBytes } from './runs/run.ts';
import type { RunFolder } from './runs/run-folder.ts';
import type { RunState } from './runs/run-states.ts';
import { readExport, type RunExport } from './runs/run-record.ts';
import { requireWritable } from './writable-folder.ts';

export interface RunVersion {
  version: PublishedVersion;
  /** False where the run was this version before. */
  isNew: boolean;
}

/** What a run that is not finished is, where somebody wants to publish it. */
const UNFINISHED: Record<Exclude<RunState, 'finished'>, string> = {
  queued: 'has not begun',
  running: 'was cut short',
  interrupted: 'was interrupted',
  failed: 'failed',
  cancelled: 'was cancelled',
};

/**
 * Publishes what a finished run exported as the next version of `name`, without training again. Refused before anything is
 * written: `run-unfinished`; `invalid-run` and `invalid-manifest` where a file of the export is missing, changed or of
 * another run; `parity-failed` without the proof of the export; `golden-mismatch` where `model.onnx` does not compute, here,
 * what was trained; `worse-than-published` unless `force`; `invalid-configuration` where versions cannot be written.
 */
export async function publishRun(
  folder: RunFolder,
  modelsDirectory: string,
  name: string,
  { force }: { force: boolean },
): Promise<RunVersion> {
  const { run, directory } = folder;
  if (run.state !== 'finished') {
    const message = `Run ${run.id} ${UNFINISHED[run.state]}; only a finished run can be published.`;
    throw new DomainError('run-unfinished', message);
  }
  await requireWritable(join(modelsDirectory, name), 'MODELS_DIR');
  const content = await readWhole(folder);
  requireProof(content.manifest, directory);
  await checkAnswers(content, directory);
  if (!force) await requireNotWorse(modelsDirectory, name, content.manifest);
  const published = await publishOnce(modelsDirectory, name, content);
  await folder.addPublished({ name, version: published.version.version });
  return published;
}

/** `worse-than-published` where the newest version of `name` has a higher validation accuracy, and is another run's. */
export async function requireNotWorse(
  modelsDirectory: string,
  name: string,
  { metrics, training }: Pick<RunExport['manifest'], 'metrics' | 'training'>,
): Promise<void> {
  const { versions } = await listVersions(modelsDirectory);
  const newest = versions
    .filter((version) => version.name === name)
    .reduce<PublishedVersion | null>(
      (best, each) => (best === null || each.version > best.version ? each : best),
      null,
    );
  if (newest === null || newest.manifest.training.run === training.run) return;
  const [here, there] = [metrics.validation.accuracy, newest.manifest.metrics.validation.accuracy];
  if (here >= there) return;
  throw new DomainError(
    'worse-than-published',
    `Validation accuracy ${percent(here)} is below the ${percent(there)} of ${name} version ${newest.version}.`,
    { details: { validationAccuracy: here, published: { name, version: newest.version, validationAccuracy: there } } },
  );
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}

/**
 * The next version of `name`; or the version that the same run published the same model as before, if that is still whole.
 * Two processes that publish the same run at once would make two: whoever publishes holds the run's folder.
 */
export async function publishOnce(modelsDirectory: string, name: string, content: VersionContent): Promise<RunVersion> {
  const digest = digestOf(content.model);
  const { run } = content.manifest.training;
  const { versions } = await listVersions(modelsDirectory);
  for (const version of versions) {
    const { manifest } = version;
    if (version.name !== name || manifest.training.run !== run || manifest.digest !== digest) continue;
    if (await isWhole(version)) return { version, isNew: false };
  }
  return { version: await publishVersion(modelsDirectory, name, content), isNew: true };
}

async function isWhole(version: PublishedVersion): Promise<boolean> {
  try {
    await readModel(version);
    return true;
  } catch {
    return false; // it can only be published anew
  }
}

/** The run's export, with the digests that it was written with. */
async function readWhole({ run, directory }: RunFolder): Promise<RunExport & Required<VersionContent>> {
  const exported = await readExport(directory);
  if (exported === null) {
    throw new DomainError('invalid-run', `${directory} lacks model.onnx or manifest.json, which a finished run has.`);
  }
  const files = await readLayersModel(directory);
  for (const [path, data] of Object.entries({ 'model.onnx': exported.model, ...files })) {
    const [expected, found] = [run.digests?.[path], digestOf(data)];
    if (expected === undefined || expected === found) continue;
    const message = `${join(directory, path)} has digest ${found}; the run wrote ${expected}.`;
    throw new DomainError('invalid-run', message);
  }
  if (exported.manifest.training.run !== run.id) {
    const message = `${join(directory, 'manifest.json')} is of run ${exported.manifest.training.run}, not ${run.id}.`;
    throw new DomainError('invalid-run', message);
  }
  return { ...exported, files };
}

/** A run exports nothing without it; a manifest that says otherwise was not written by the run. */
function requireProof({ parity }: RunExport['manifest'], directory: string): void {
  if (parity.maximumDifference <= parity.tolerance) return;
  const message = `${join(directory, 'manifest.json')}: parity.maximumDifference is ${parity.maximumDifference}, above ${parity.tolerance}.`;
  throw new DomainError('parity-failed', message);
}

async function readLayersModel(directory: string): Promise<Record<string, Uint8Array>> {
  const files: Record<string, Uint8Array> = {};
  for (const path of LAYERS_MODEL_PATHS) {
    const data = await readBytes(join(directory, path));
    if (data === null) throw new DomainError('invalid-run', `${join(directory, path)} is missing.`);
    files[path] = data;
  }
  return files;
}

/** Whoever serves the version will ask the same of it. */
async function checkAnswers({ model, manifest: { golden } }: RunExport, directory: string): Promise<void> {
  checkGolden(await answersOf(model, golden, join(directory, 'model.onnx')), golden);
}

async function answersOf(model: Uint8Array, golden: GoldenVectors, path: string): Promise<Predictions> {
  const images = decodeGoldenImages(golden);
  try {
    return await OnnxModel.using(model, (graph) => graph.predict(images));
  } catch (cause) {
    throw new DomainError('golden-mismatch', `${path} does not compute: ${messageOf(cause)}`, { cause });
  }
}
