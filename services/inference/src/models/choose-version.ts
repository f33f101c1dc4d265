import { DomainError } from '@atelier/domain';
import { RetryLater } from '@atelier/http';
import type { LoadedVersion } from './loaded-version.ts';
import type { ModelChoice } from './models.ts';
import type { ServedModel } from './served-model.ts';
import { belongsTo } from './traffic-share.ts';
import { absenceOf } from './version-statuses.ts';

export interface ChoiceRules {
  root: string;
  canaryPercent: number;
}

/** Who of a model answers; `model-not-found` names what there is, `not-ready` says why it is not loaded. */
export function chooseVersion(model: ServedModel, choice: ModelChoice, rules: ChoiceRules): LoadedVersion {
  const { version, label, requestId } = choice;
  if (version !== undefined) return usable(byNumber(model, version, rules));
  if (label === 'canary') return usable(labelledCanary(model, rules));
  const { canary } = model;
  // A share of the requests must not fail because the canary does.
  if (label === undefined && canary?.predictor.ready === true && belongsTo(rules.canaryPercent, requestId))
    return canary;
  if (model.current !== undefined) return usable(model.current);
  const { name } = model;
  if (model.isOff) throw new DomainError('not-ready', `"${name}" is unloaded.`);
  if (!model.isTried || model.loading !== undefined) {
    throw new RetryLater('not-ready', `The newest version of "${name}" is being loaded and checked.`);
  }
  throw new DomainError('not-ready', `No version of "${name}" can be served; the log says why.`);
}

function byNumber(model: ServedModel, number: number, rules: ChoiceRules): LoadedVersion {
  const loaded = model.loadedVersion(number);
  if (loaded !== undefined) return loaded;
  const { name, versions } = model;
  const entry = versions.find((candidate) => candidate.number === number);
  if (entry === undefined) {
    if (!model.isTried) throw new RetryLater('not-ready', `The versions of "${name}" are being looked for.`);
    const known = versions.map((candidate) => candidate.number).toReversed();
    throw new DomainError(
      'model-not-found',
      `There is no version ${number} of "${name}"; there is: ${known.join(', ') || 'none'}.`,
    );
  }
  if (model.loading?.version === number) throw new RetryLater('not-ready', `${name}/${number} is being loaded.`);
  throw new DomainError('not-ready', `${name}/${number} is not loaded: ${absenceOf(model, entry, rules.root)}.`);
}

function labelledCanary(model: ServedModel, rules: ChoiceRules): LoadedVersion {
  if (model.canary !== undefined) return model.canary;
  const { canary } = model.labels;
  if (canary !== null) return byNumber(model, canary, rules);
  throw new DomainError('model-not-found', `"${model.name}" has no canary; there is: stable.`);
}

function usable(version: LoadedVersion): LoadedVersion {
  if (version.predictor.ready) return version;
  throw new RetryLater('not-ready', 'The engine is being restarted.');
}
