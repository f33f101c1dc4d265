import { resolve } from 'node:path';
import { DomainError, hasCode, messageOf } from '@atelier/domain';
import { type Log, RetryLater } from '@atelier/http';
import type { PublishedVersion } from '@atelier/model-repository';
import type { LabelsResponse } from '../contract/labels.ts';
import type { Predictor } from '../predictor/predictor.ts';
import { ChosenVersion } from './chosen-version.ts';
import { chooseVersion } from './choose-version.ts';
import { coalesced } from './coalesced.ts';
import type { ModelChoice, Models } from './models.ts';
import { reasonOf } from './refusal.ts';
import { RepositoryScanner, type Scan } from './scan-repository.ts';
import { ServedModel } from './served-model.ts';
import { Shadow } from './shadow.ts';
import { NOBODY, type TrafficObserver } from './traffic-observer.ts';
import { absenceOf, faultsOf, type RepositoryFault, statusesOf } from './version-statuses.ts';
import { watchFolders } from './watch-folders.ts';

export interface ModelSource {
  /** The folder of the model repository. */
  root: string;
  /** The service's own model. */
  name: string;
  /** Models beside it; `*`: all in the folder. */
  models: '*' | readonly string[];
  /** The newest usable versions of each that are held; at least 1. */
  keepVersions: number;
  /** Of the requests that name neither a version nor a label, by their id. */
  canaryPercent: number;
  /** Of the requests that the stable version answers. */
  shadowPercent: number;
  /** Between two looks into the folder; 0: none but those that `watch` asks for. */
  pollMs: number;
  /** Default: true. */
  watch?: boolean;
  /** Rejects with a DomainError where the version must not answer anybody. */
  load: (version: PublishedVersion) => Promise<Predictor>;
  /** Rejects with `device-unavailable` where nothing could be loaded, whatever lies in the folder. Default: resolves. */
  requireDevice?: () => Promise<unknown>;
  observer?: TrafficObserver;
  /** Before a load that failed for a passing reason is tried again; doubled for the next time. Default: 1 s. */
  retryMs?: number;
}

/** All versions of a folder, which may change at any time. */
export interface RepositoryModels extends Models {
  /** Resolves when a version of the service's own model answers or none was found; the others are loaded after it. */
  start(): Promise<void>;
  /** The version that answers, as it was loaded: its folder may have changed since. */
  served(): PublishedVersion | undefined;
  /** Resolves when what lies in the folder now has been taken over. */
  refresh: () => Promise<void>;
  /** What has no status, because its manifest or its labels cannot be read. */
  faults(): readonly RepositoryFault[];
  /** `model-not-found` where there is no such model. */
  labelsOf(name: string): LabelsResponse;
}

export function serveModels(source: ModelSource, log: Log): RepositoryModels {
  const root = resolve(source.root);
  const { observer = NOBODY, load, keepVersions, retryMs = 1_000 } = source;
  const isWanted = (name: string) => source.models === '*' || name === source.name || source.models.includes(name);
  const scanner = new RepositoryScanner(root, isWanted);
  const shadow = new Shadow(observer, log);
  const models = new Map<string, ServedModel>();
  let named: ReadonlySet<string> = new Set();
  let stopping = false;
  let closed = false;
  let pollTimer: NodeJS.Timeout | undefined;
  let retryTimer: NodeJS.Timeout | undefined;
  let tellSettled: (() => void) | undefined;
  const settled = new Promise<void>((resolve_) => (tellSettled = resolve_));
  let isSettled = false;
  let deviceFault: DomainError | undefined;

  const rules = { load, keepVersions, retryMs, observer, log, isStopping: () => stopping };
  const own = new ServedModel(source.name, rules);
  models.set(source.name, own);

  const watcher = watchFolders(() => void refresh(), log);
  const refresh = coalesced(async () => {
    try {
      await reconcile();
    } catch (error) {
      log.error({ err: error }, `${root} could not be looked through: ${messageOf(error)}`);
    }
    settle();
  });

  async function reconcile(): Promise<void> {
    if (stopping) return;
    const scan = await scanner.scan();
    if (source.watch !== false && watcher.follow(scan.folders)) void refresh();
    takeScan(scan);
    if (!(await hasDevice())) return;
    await own.settleCurrent();
    settle();
    for (const model of models.values()) if (model !== own) await model.settleCurrent();
    for (const model of models.values()) await model.settleOthers();
    retryLater();
  }

  /** Said once: it is no version's fault, and none is tried or refused for it. */
  async function hasDevice(): Promise<boolean> {
    const error = await source.requireDevice?.().then(
      () => undefined,
      (reason: unknown) => reason,
    );
    const before = deviceFault?.message;
    deviceFault = hasCode(error, 'device-unavailable') ? error : undefined;
    if (deviceFault === undefined) return true;
    const { code, message } = deviceFault;
    if (message !== before) log.error({ code }, `Nothing can be served: ${code}: ${message}`);
    return false;
  }

  function takeScan({ models: found, strangers }: Scan): void {
    const words = strangers.map(({ path, reason }) => `${path}: ${reason}`);
    for (const stranger of words) if (!named.has(stranger)) log.warn(`Skipped ${stranger}`);
    named = new Set(words); // who comes again is named again, and nobody is kept who has gone
    for (const { name } of found) if (!models.has(name)) models.set(name, new ServedModel(name, rules));
    for (const model of models.values()) {
      const scanned = found.find(({ name }) => name === model.name);
      model.take(scanned);
      if (scanned === undefined && model !== own && model.isEmpty) models.delete(model.name);
    }
  }

  /** The service is as ready as the folder lets it be. */
  function settle(): void {
    if (isSettled || stopping) return tellSettled?.();
    isSettled = true;
    tellSettled?.();
    if (own.current !== undefined || deviceFault !== undefined) return;
    log.error(
      `No version of "${source.name}" in ${root} can be served. ` +
        'Train and publish one (npm run train -- --recipe atelier --publish): it is served as soon as it is there.',
    );
  }

  function retryLater(): void {
    clearTimeout(retryTimer);
    const retryAt = Math.min(...[...models.values()].map((model) => model.retryAt));
    if (stopping || retryAt === Infinity) return;
    retryTimer = setTimeout(() => void refresh(), Math.max(0, retryAt - performance.now())).unref();
  }

  function refuseClosed(): void {
    if (closed) throw new RetryLater('shutting-down', 'The service is stopping.');
  }

  function refuseWithoutDevice(): void {
    if (deviceFault !== undefined) throw new DomainError('not-ready', reasonOf(deviceFault, root));
  }

  function find(name: string): ServedModel {
    const model = models.get(name);
    if (model !== undefined && (model === own || model.versions.length > 0 || model.loaded.length > 0)) return model;
    if (!own.isTried) throw new RetryLater('not-ready', 'The models are being looked for.');
    const known = [...models.keys()].sort().join(', ');
    throw new DomainError('model-not-found', `There is no model ${JSON.stringify(name)}; there is: ${known}.`);
  }

  const choiceRules = { root, canaryPercent: source.canaryPercent };

  function choose(choice: ModelChoice): Predictor {
    refuseClosed();
    refuseWithoutDevice();
    const model = find(choice.name ?? source.name);
    return new ChosenVersion({
      choose() {
        refuseClosed();
        return chooseVersion(model, choice, choiceRules);
      },
      answered(by, images, outputs) {
        const { canary } = model;
        if (source.shadowPercent === 0 || canary === undefined || canary === by || by !== model.current) return;
        if (Math.random() * 100 < source.shadowPercent) shadow.send(canary.predictor, images, outputs);
      },
      isStopping: () => stopping,
    });
  }

  return {
    choose,
    start() {
      if (source.pollMs > 0) pollTimer = setInterval(() => void refresh(), source.pollMs).unref();
      void refresh();
      return settled;
    },
    refresh,
    served: () => own.current?.predictor.version,
    readyPredictor() {
      if (stopping) throw new RetryLater('shutting-down', 'The service is stopping.');
      refuseWithoutDevice();
      return chooseVersion(own, { label: 'stable' }, choiceRules).predictor;
    },
    statuses() {
      const statuses = byName(models).flatMap((model) => statusesOf(model, root));
      if (deviceFault === undefined) return statuses;
      const reason = reasonOf(deviceFault, root);
      return statuses.map((status) => ({ ...status, reason }));
    },
    faults: () => byName(models).flatMap((model) => faultsOf(model, root)),
    labelsOf(name) {
      const { labels, labelsFault, current, canary } = find(name);
      const serving = {
        stable: current?.predictor.version.version ?? null,
        canary: canary?.predictor.version.version ?? null,
      };
      return { ...labels, serving, ...(labelsFault === null ? {} : { fault: reasonOf(labelsFault, root) }) };
    },
    async load(name, version) {
      refuseClosed();
      if ((models.get(name)?.versions ?? []).length === 0) await refresh(); // it may have come a moment ago
      refuseWithoutDevice();
      const model = find(name);
      model.wantLoaded(version);
      await refresh();
      requireLoaded(model, version);
    },
    async unload(name, version) {
      refuseClosed();
      find(name).wantUnloaded(version);
      await refresh();
    },
    announceStop,
    async close() {
      announceStop();
      closed = true;
      await refresh(); // what is being loaded is there now, and is released too
      await Promise.all([...models.values()].map((model) => model.close()));
    },
  };

  function announceStop(): void {
    stopping = true;
    clearInterval(pollTimer);
    clearTimeout(retryTimer);
    watcher.close();
  }

  /** Says why a version that was asked for is not there. */
  function requireLoaded(model: ServedModel, number = model.versions[0]?.number): void {
    const entry = model.versions.find((version) => version.number === number);
    if (number !== undefined && model.loadedVersion(number) === undefined) model.forget(number);
    if (entry === undefined || number === undefined) {
      const known = model.versions.map((version) => version.number).toReversed();
      throw new DomainError(
        'model-not-found',
        `There is no version ${number ?? ''} of "${model.name}"; there is: ${known.join(', ') || 'none'}.`,
      );
    }
    const loaded = model.loadedVersion(number);
    if (loaded !== undefined && model.refusalOf(entry) === undefined) return;
    const reason = absenceOf(model, entry, root);
    throw new DomainError('version-refused', `${model.name}/${number} cannot be served: ${reason}`, {
      cause: model.refusalOf(entry),
    });
  }
}

function byName(models: ReadonlyMap<string, ServedModel>): ServedModel[] {
  return [...models.values()].sort((a, b) => a.name.localeCompare(b.name));
}
