import { resolve } from 'node:path';
import { DomainError, type ErrorCode, messageOf } from '@atelier/domain';
import { type Log, RetryLater } from '@atelier/http';
import { listVersions, type PublishedVersion } from '@atelier/model-repository';
import type { Predictor } from '../predictor/predictor.ts';
import type { Models, VersionStatus } from './models.ts';

/** The one version that a service answers with, chosen when it starts. */
export interface ServedModel extends Models {
  /**
   * Tries the versions from the newest to the oldest, and serves the first that loads and passes every check. Resolves
   * when one has been chosen or none was found; every call returns the same promise.
   */
  start(): Promise<void>;
  /** The version that was chosen, as it was loaded: its folder may have changed since. */
  served(): PublishedVersion | undefined;
  /** The check that a version failed when it was tried; undefined for any other. */
  refusalOf(version: PublishedVersion): ErrorCode | undefined;
}

export interface ModelSource {
  /** The folder of the model repository. */
  root: string;
  name: string;
  load(version: PublishedVersion): Promise<Predictor>;
}

export function serveNewest(source: ModelSource, log: Log): ServedModel {
  const refused = new Map<string, ErrorCode>();
  let predictor: Predictor | undefined;
  let chosen: Promise<void> | undefined;
  let unavailable: DomainError = new RetryLater(
    'not-ready',
    `The newest version of "${source.name}" is being loaded and checked.`,
  );
  let stopping = false;
  let closed = false;

  async function choose(): Promise<void> {
    predictor = await newestUsable(source, refused, log);
    if (predictor === undefined) {
      unavailable = new DomainError('not-ready', `No version of "${source.name}" can be served; the log says why.`);
      return;
    }
    const { version, device } = predictor;
    log.info({ digest: version.manifest.digest }, `Serving ${nameOf(version)} on ${device.actual}`);
  }

  function usable(): Predictor {
    if (closed) throw new RetryLater('shutting-down', 'The service is stopping.');
    if (predictor === undefined) throw unavailable;
    if (!predictor.ready) throw new RetryLater('not-ready', 'The engine is being restarted.');
    return predictor;
  }

  return {
    start: () => (chosen ??= choose()),
    choose({ name = source.name, version }) {
      const found = usable();
      if (name === source.name && (version === undefined || version === found.version.version)) return found;
      throw notFound(name, version);
    },
    statuses: () => (predictor === undefined ? [] : [statusOf(predictor)]),
    load: (name, version) => Promise.reject(notFound(name, version)),
    unload: (name, version) => Promise.reject(notFound(name, version)),
    readyPredictor() {
      if (stopping) throw new RetryLater('shutting-down', 'The service is stopping.');
      return usable();
    },
    served: () => predictor?.version,
    refusalOf: (version) => refused.get(identityOf(version)),
    announceStop: () => void (stopping = true),
    async close() {
      stopping = closed = true;
      await chosen;
      await predictor?.close();
    },
  };
}

function statusOf({ version, ready }: Predictor): VersionStatus {
  return { version, state: ready ? 'READY' : 'UNAVAILABLE', reason: '', labels: ['stable'] };
}

function notFound(name: string, version: number | undefined): DomainError {
  return new DomainError('model-not-found', `${version === undefined ? name : `${name}/${version}`} is not served.`);
}

async function newestUsable(
  source: ModelSource,
  refused: Map<string, ErrorCode>,
  log: Log,
): Promise<Predictor | undefined> {
  for (const version of await candidates(source, log)) {
    try {
      return await source.load(version);
    } catch (error) {
      const code = error instanceof DomainError ? error.code : 'internal';
      refused.set(identityOf(version), code);
      log.error({ err: error, code }, `${nameOf(version)} is not served: ${code}: ${messageOf(error)}`);
    }
  }
  log.error(
    `No version of "${source.name}" in ${resolve(source.root)} can be served. ` +
      'Train and publish one (npm run train -- --recipe atelier --publish), then start this service again.',
  );
  return undefined;
}

/** Newest first. A folder that cannot be listed has none. */
async function candidates({ root, name }: ModelSource, log: Log): Promise<PublishedVersion[]> {
  try {
    const { versions, skipped } = await listVersions(root);
    for (const { path, reason } of skipped) log.warn(`Skipped ${path}: ${reason}`);
    return versions.filter((version) => version.name === name).reverse();
  } catch (error) {
    log.error({ err: error }, `${resolve(root)} cannot be listed: ${messageOf(error)}`);
    return [];
  }
}

function nameOf({ name, version }: PublishedVersion): string {
  return `${name}/${version}`;
}

/** A folder can be published again under its number: what is known of one content is not of the other. */
function identityOf(version: PublishedVersion): string {
  return `${nameOf(version)} ${version.manifest.digest}`;
}
