import type { Check, Finding } from '@atelier/doctor';
import { DomainError, hasCode } from '@atelier/domain';
import { resolveVersion } from '@atelier/model-repository';
import type { InferenceConfig } from '../config.ts';

/** Whether the model that answers has a version that can be read; that it computes what was published shows when it is loaded. */
export function versionCheck({ modelsDirectory, modelName }: InferenceConfig): Check {
  return { group: 'inference', name: 'published-version', examine: () => examineVersion(modelsDirectory, modelName) };
}

async function examineVersion(root: string, name: string): Promise<Finding> {
  try {
    const { version, manifest } = await resolveVersion(root, name, 'latest');
    return { status: 'ok', summary: `${name} version ${version}`, facts: { name, version, digest: manifest.digest } };
  } catch (error) {
    if (!hasCode(error, 'model-not-found')) throw error;
    return {
      status: 'fault',
      summary: (error satisfies DomainError).message.replace(/\.$/, ''),
      remedy: 'Publish one (npm run train -- --recipe ann-128 --publish), or name its folder in MODELS_DIR.',
      facts: { name, version: null, digest: null },
    };
  }
}
