import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DomainError, messageOf } from '@atelier/domain';
import {
  checkGolden,
  digestOf,
  goldenPixels,
  listVersions,
  publishVersion,
  type PublishedVersion,
  type VersionContent,
} from '@atelier/model-repository';
import { LAYERS_MODEL_PATHS } from './export/layers-model-files.ts';
import { OnnxModel } from './export/onnx-model.ts';
import type { RunFolder } from './runs/run-folder.ts';
import { readExport, type RunExport } from './runs/run-record.ts';
import { requireWritable } from './writable-folder.ts';

/**
 * Publishes what a finished run exported as the next version of `name`, without training again; a run that is that
 * model's version already gives it. Refused before anything is written: `run-unfinished`, `invalid-run` and
 * `invalid-manifest` where the export is not whole, `golden-mismatch` where `model.onnx` does not compute what was
 * trained, `invalid-configuration` where `modelsDirectory` cannot be written.
 */
export async function publishRun(folder: RunFolder, modelsDirectory: string, name: string): Promise<PublishedVersion> {
  const { run, directory } = folder;
  if (run.state !== 'finished') {
    const message = `Run ${run.id} is ${run.state}; only a finished run can be published.`;
    throw new DomainError('run-unfinished', message);
  }
  await requireWritable(modelsDirectory, 'MODELS_DIR');
  const exported = await readExport(directory);
  if (exported === null) {
    throw new DomainError('invalid-run', `${directory} lacks model.onnx or manifest.json, which a finished run has.`);
  }
  const { manifest, model } = exported;
  const files = await readLayersModel(directory);
  await checkAnswers(exported);
  const version = await publishOnce(modelsDirectory, name, { manifest, model, files });
  await folder.update({ published: { name, version: version.version } });
  return version;
}

/** The next version of `name`; where the same run published the same model before, that version. */
export async function publishOnce(
  modelsDirectory: string,
  name: string,
  content: VersionContent,
): Promise<PublishedVersion> {
  const digest = digestOf(content.model);
  const { run } = content.manifest.training;
  const { versions } = await listVersions(modelsDirectory);
  const earlier = versions.find(
    (version) => version.name === name && version.manifest.training.run === run && version.manifest.digest === digest,
  );
  return earlier ?? (await publishVersion(modelsDirectory, name, content));
}

/** Who serves the version will ask the same of it; what a disk has damaged since must not become a version. */
async function checkAnswers({ model, manifest: { golden } }: RunExport): Promise<void> {
  const graph = await OnnxModel.open(model).catch((cause: unknown) => {
    throw new DomainError('golden-mismatch', `model.onnx cannot be loaded: ${messageOf(cause)}`, { cause });
  });
  try {
    checkGolden((await graph.predict(goldenPixels(golden))).probabilities, golden);
  } finally {
    await graph.release();
  }
}

async function readLayersModel(directory: string): Promise<Record<string, Uint8Array>> {
  const read = async (path: string) => [path, await readFile(join(directory, path))] as const;
  const files = await Promise.all(LAYERS_MODEL_PATHS.map(read)).catch((cause: unknown) => {
    throw new DomainError('invalid-run', `The export of a run is not whole: ${messageOf(cause)}`, { cause });
  });
  return Object.fromEntries(files);
}
