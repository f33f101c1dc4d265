import type { PublishedVersion } from '@atelier/model-repository';
import { LABELS, type Label, type VersionState, type VersionStatus } from './models.ts';
import { identityOf } from './loaded-version.ts';
import { reasonOf } from './refusal.ts';
import type { ScannedVersion } from './scan-repository.ts';
import type { ServedModel } from './served-model.ts';

/** A folder with a number whose manifest cannot be read, or something else in the repository that is not what it should be. */
export interface RepositoryFault {
  name: string;
  /** Undefined for the labels of the model. */
  version: number | undefined;
  /** `code: message`. */
  reason: string;
}

/** What became of each version of a model whose manifest can be read, and of those in memory; ascending. */
export function statusesOf(model: ServedModel, root: string): VersionStatus[] {
  const inMemory = [...model.loaded, ...model.draining].map(({ predictor }) => predictor.version);
  const versions = new Map<string, PublishedVersion>();
  for (const { published } of model.versions) if (published !== null) versions.set(identityOf(published), published);
  for (const version of inMemory) versions.set(identityOf(version), version);
  return [...versions.entries()]
    .map(([identity, version]) => statusOf(model, identity, version, root))
    .sort((a, b) => a.version.version - b.version.version);
}

/** What lies in the folder of a model and has no status. */
export function faultsOf(model: ServedModel, root: string): RepositoryFault[] {
  const { name } = model;
  const faults: RepositoryFault[] = model.versions.flatMap(({ number, fault }) =>
    fault === null ? [] : [{ name, version: number, reason: reasonOf(fault, root) }],
  );
  if (model.labelsFault === null) return faults;
  return [...faults, { name, version: undefined, reason: reasonOf(model.labelsFault, root) }];
}

/** Why a version that is not in memory is not. */
export function absenceOf(model: ServedModel, entry: ScannedVersion, root: string): string {
  const refusal = model.refusalOf(entry);
  if (refusal !== undefined) return reasonOf(refusal, root);
  return model.isUnloaded(entry.number) ? 'unloaded' : 'not loaded';
}

function statusOf(model: ServedModel, identity: string, version: PublishedVersion, root: string): VersionStatus {
  const isIt = (other: PublishedVersion | undefined) => other !== undefined && identityOf(other) === identity;
  const loaded = model.loaded.find(({ predictor }) => isIt(predictor.version));
  const labels = LABELS.filter((label: Label) =>
    isIt((label === 'stable' ? model.current : model.canary)?.predictor.version),
  );
  const entry = model.versions.find(({ published }) => published !== null && isIt(published));
  const status = (state: VersionState, reason: string): VersionStatus => ({
    version,
    state,
    reason,
    labels,
    ...(loaded && { device: loaded.predictor.device.actual }),
  });
  if (loaded !== undefined) {
    if (!loaded.predictor.ready) return status('UNAVAILABLE', 'not-ready: the engine is being restarted');
    return status('READY', entry === undefined ? 'its folder is gone or has another content' : standIn(model, labels));
  }
  if (isIt(model.loading)) return status('LOADING', '');
  if (entry === undefined) return status('UNLOADING', '');
  if (model.draining.some(({ predictor }) => isIt(predictor.version))) return status('UNLOADING', '');
  const absence = absenceOf(model, entry, root);
  const { stable, canary } = model.labels;
  const label = entry.number === stable ? 'stable' : entry.number === canary ? 'canary' : undefined;
  return status('UNAVAILABLE', label === undefined ? absence : `labelled ${label}, and ${absence}`);
}

function standIn({ labels: { stable }, current }: ServedModel, labels: readonly Label[]): string {
  if (stable === null || !labels.includes('stable') || current?.predictor.version.version === stable) return '';
  return `answers in the place of version ${stable}, which is labelled stable and cannot be served`;
}
