import { resolve } from 'node:path';
import { DomainError, type ErrorCode, messageOf } from '@atelier/domain';
import type { Log } from '@atelier/http';
import { listVersions, type PublishedVersion } from '@atelier/model-repository';
import type { Predictor } from './predictor/predictor.ts';

/** The one version that a service answers with, chosen when it starts. */
export interface ServedModel {
  /** Ready to predict; throws `not-ready` with the reason, or `shutting-down`. */
  predictor(): Predictor;
  isServed(version: PublishedVersion): boolean;
  /** The check that a version failed when it was tried; undefined for any other. */
  refusalOf(version: PublishedVersion): ErrorCode | undefined;
  /** Resolves when a version has been chosen or none was found. */
  readonly settled: Promise<void>;
  close(): Promise<void>;
}

export interface ModelSource {
  /** The folder of the model repository. */
  root: string;
  name: string;
  load(version: PublishedVersion): Promise<Predictor>;
}

/** Tries the versions from the newest to the oldest, and serves the first that loads and passes every check. */
export function serveNewest(source: ModelSource, log: Log): ServedModel {
  const refused = new Map<string, ErrorCode>();
  let predictor: Predictor | undefined;
  let reason = `The newest version of "${source.name}" is being loaded and checked.`;
  let closing = false;

  const settled = newestUsable(source, refused, log).then((found) => {
    predictor = found;
    if (found === undefined) reason = `No version of "${source.name}" can be served; the log says why.`;
    else log.info({ digest: found.version.manifest.digest }, `Serving ${nameOf(found.version)} on ${found.device}`);
  });

  return {
    settled,
    isServed: (version) => predictor !== undefined && nameOf(version) === nameOf(predictor.version),
    refusalOf: (version) => refused.get(nameOf(version)),
    predictor() {
      if (closing) throw new DomainError('shutting-down', 'The service is stopping.');
      if (predictor === undefined) throw new DomainError('not-ready', reason);
      if (!predictor.ready) throw new DomainError('not-ready', 'The engine is being restarted.');
      return predictor;
    },
    async close() {
      closing = true;
      await settled;
      await predictor?.close();
    },
  };
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
      refused.set(nameOf(version), code);
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
