import { basename, dirname, join } from 'node:path';
import type { Check, Finding } from '@atelier/doctor';
import { messageOf } from '@atelier/domain';
import { listVersions, type PublishedVersion, readModel, resolveVersion } from '@atelier/model-repository';
import type { InferenceConfig } from '../config.ts';

/**
 * Whether the model that answers has a version whose file is the one that was published; that it computes what it should
 * shows when it is loaded.
 */
export function versionCheck({
  modelsDirectory,
  modelName,
}: Pick<InferenceConfig, 'modelsDirectory' | 'modelName'>): Check {
  return { group: 'inference', name: 'published-version', examine: () => examineVersions(modelsDirectory, modelName) };
}

const REPLACE = 'Put a whole copy of its folder there, or remove the folder.';

/** Newest first, as the service looks for one: an older version answers where the newest is damaged. */
async function examineVersions(root: string, name: string): Promise<Finding> {
  const { versions, skipped } = await listVersions(root);
  const unreadable = skipped.filter(({ path }) => dirname(path) === join(root, name));
  const faults: string[] = [];
  for (const found of versions.filter((each) => each.name === name).reverse()) {
    const fault = await faultOf(found);
    if (fault !== null) {
      faults.push(fault);
      continue;
    }
    const { version, manifest } = found;
    const facts = { name, version, digest: manifest.digest };
    const newer = unreadable.filter(({ path }) => Number(basename(path)) > version);
    faults.push(...newer.map(({ path, reason }) => `${path}: ${reason}`));
    if (faults.length === 0) return { status: 'ok', summary: `${name} version ${version}`, facts };
    const summary = `${name} version ${version}, as newer ones are damaged: ${faults.join('; ')}`;
    return { status: 'note', summary, remedy: REPLACE, facts };
  }
  const facts = { name, version: null, digest: null };
  if (faults.length > 0) {
    const summary = `no version of ${name} can be served: ${faults.join('; ')}`;
    return { status: 'fault', summary, remedy: REPLACE, facts };
  }
  // Which says what there is instead, and what was skipped.
  const summary = await resolveVersion(root, name, 'latest').then(() => 'was published just now; ask again', wordsOf);
  const remedy = 'Publish one (npm run train -- --recipe ann-128 --publish), or name its folder in MODELS_DIR.';
  return { status: 'fault', summary, remedy, facts };
}

/** Null where the file is what its manifest says. */
async function faultOf(version: PublishedVersion): Promise<string | null> {
  return readModel(version).then(() => null, wordsOf);
}

/** As a part of a sentence. */
function wordsOf(error: unknown): string {
  return messageOf(error).replace(/\.$/, '');
}
