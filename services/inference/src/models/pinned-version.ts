import { RetryLater } from '@atelier/http';
import type { Predictor } from '../predictor/predictor.ts';
import type { ModelChoice, Models } from './models.ts';

/** A choice that stays while other versions come: what takes minutes is to be the work of one version. */
export interface PinnedVersion {
  predictor: Predictor;
  /** Throws `not-ready` where what was published under its number has become another. */
  requireSame(): void;
}

export function pinVersion(models: Models, choice: ModelChoice): PinnedVersion {
  const { name, version, manifest } = models.choose(choice).version;
  const predictor = models.choose({ name, version });
  return {
    predictor,
    requireSame() {
      if (predictor.version.manifest.digest === manifest.digest) return;
      throw new RetryLater('not-ready', `${name}/${version} was replaced while it was evaluated.`, 1);
    },
  };
}
