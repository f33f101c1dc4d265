import type { DomainError } from '@atelier/domain';
import type { Log } from '@atelier/http';
import { type Labels, NO_LABELS, type PublishedVersion } from '@atelier/model-repository';
import type { Predictor } from '../predictor/predictor.ts';
import { candidates } from './candidates.ts';
import { identityOf, type LoadedVersion, nameOf } from './loaded-version.ts';
import { type Refusal, refuse } from './refusal.ts';
import { reportFaults, reportRefusal } from './report-faults.ts';
import type { ScannedModel, ScannedVersion } from './scan-repository.ts';
import type { TrafficObserver } from './traffic-observer.ts';

export interface ModelRules {
  load: (version: PublishedVersion) => Promise<Predictor>;
  /** The newest usable versions that are held. */
  keepVersions: number;
  /** See `ModelSource`. */
  retryMs: number;
  observer: TrafficObserver;
  log: Log;
  /** True when nothing more is to be loaded. */
  isStopping(): boolean;
}

/**
 * The versions of one model: which are loaded, which one answers, and why the others do not. Intentions (what lies in the
 * folder, labels, what is to be loaded or not) are set at once; `settleCurrent` and then `settleOthers` carry them out, and
 * never run beside each other.
 */
export class ServedModel {
  readonly name: string;
  readonly #rules: ModelRules;
  readonly #loaded = new Map<string, LoadedVersion>();
  readonly #draining = new Map<LoadedVersion, Promise<void>>();
  readonly #refusals = new Map<string, Refusal>();
  readonly #pinned = new Set<number>();
  readonly #unloaded = new Set<number>();
  #isOff = false;
  #isTried = false;
  #retryAt = Infinity;
  #found: ScannedModel;
  #loading: PublishedVersion | undefined;
  #current: LoadedVersion | undefined;
  #canary: LoadedVersion | undefined;

  constructor(name: string, rules: ModelRules) {
    this.name = name;
    this.#rules = rules;
    this.#found = { name, versions: [], labels: NO_LABELS, labelsFault: null };
  }

  /** The stable version: who answers when nobody says otherwise. */
  get current(): LoadedVersion | undefined {
    return this.#current;
  }

  get canary(): LoadedVersion | undefined {
    return this.#canary;
  }

  get loading(): PublishedVersion | undefined {
    return this.#loading;
  }

  get draining(): readonly LoadedVersion[] {
    return [...this.#draining.keys()];
  }

  get loaded(): readonly LoadedVersion[] {
    return [...this.#loaded.values()];
  }

  /** Nothing of it is in memory, and nobody has said anything about it. */
  get isEmpty(): boolean {
    const isAsked = this.#isOff || this.#pinned.size > 0 || this.#unloaded.size > 0;
    return !isAsked && this.#loaded.size === 0 && this.#draining.size === 0;
  }

  get labels(): Labels {
    return this.#found.labels;
  }

  get labelsFault(): DomainError | null {
    return this.#found.labelsFault;
  }

  /** Newest first. */
  get versions(): readonly ScannedVersion[] {
    return this.#found.versions;
  }

  /** Everything was unloaded, and stays so until it is asked for again. */
  get isOff(): boolean {
    return this.#isOff;
  }

  /** When something that is wanted and failed may be tried again, in ms as `performance.now` counts them. */
  get retryAt(): number {
    return this.#retryAt;
  }

  /** False until it is known whether a version can answer. */
  get isTried(): boolean {
    return this.#isTried;
  }

  isUnloaded(number: number): boolean {
    return this.#isOff || this.#unloaded.has(number);
  }

  /** The one with a number, as it is loaded: what lies in the folder first. */
  loadedVersion(number: number): LoadedVersion | undefined {
    const entry = this.#entry(number);
    const exact = entry?.published == null ? undefined : this.#loaded.get(identityOf(entry.published));
    return exact ?? this.loaded.find(({ predictor }) => predictor.version.version === number);
  }

  /** Why the version in a folder is not loaded; undefined where it was not tried. */
  refusalOf(entry: ScannedVersion): DomainError | undefined {
    if (entry.published === null) return entry.fault ?? undefined;
    return this.#refusals.get(identityOf(entry.published))?.fault;
  }

  /** Takes what a look into the folder found; undefined: the model has gone. */
  take(found: ScannedModel | undefined): void {
    const before = this.#found;
    this.#found = found ?? { name: this.name, versions: [], labels: NO_LABELS, labelsFault: null };
    reportFaults(before, this.#found, this.#rules);
    const listed = new Set(this.versions.flatMap(({ published }) => (published === null ? [] : identityOf(published))));
    for (const identity of this.#refusals.keys()) if (!listed.has(identity)) this.#refusals.delete(identity);
  }

  /** Undoes `unload`, and has a version tried again that failed before. A number given is kept from now on. */
  wantLoaded(number?: number): void {
    this.#isOff = false;
    if (number === undefined) this.#unloaded.clear();
    else {
      this.#unloaded.delete(number);
      this.#pinned.add(number);
    }
    for (const { number: found, published } of this.versions) {
      if (published !== null && (number === undefined || number === found))
        this.#refusals.delete(identityOf(published));
    }
  }

  /** What was asked for has failed: it is loaded only where something else asks for it. */
  forget(number: number): void {
    this.#pinned.delete(number);
  }

  wantUnloaded(number?: number): void {
    if (number === undefined) {
      this.#isOff = true;
      this.#pinned.clear();
    } else {
      this.#pinned.delete(number);
      this.#unloaded.add(number);
    }
  }

  /** Loads who is to answer where it is not loaded, and only then hands over to it. */
  async settleCurrent(): Promise<void> {
    this.#retryAt = Infinity;
    this.#swap(await this.#successor());
    this.#isTried = true;
  }

  /** Loads the canary, what was asked for and the newest; releases the rest. */
  async settleOthers(): Promise<void> {
    const wanted = new Set<LoadedVersion | undefined>([this.#current]);
    const { stable, canary } = this.labels;
    const labelled = [canary, stable].filter((number) => number !== null);
    for (const number of [...labelled, ...this.#pinned]) {
      if (!this.isUnloaded(number)) wanted.add(await this.#ensure(number));
    }
    let kept = 0;
    for (const { number } of this.versions) {
      if (kept >= this.#rules.keepVersions || this.isUnloaded(number)) continue;
      const version = await this.#ensure(number);
      if (version === undefined) continue;
      wanted.add(version);
      kept++;
    }
    if (this.#rules.isStopping()) return;
    const isServed = canary !== null && !this.isUnloaded(canary);
    this.#canary = isServed ? this.loadedVersion(canary) : undefined;
    for (const [identity, version] of this.#loaded) if (!wanted.has(version)) this.#release(identity, version);
  }

  /** Releases everything; resolves when all that was accepted is answered. */
  async close(): Promise<void> {
    for (const [identity, version] of this.#loaded) this.#release(identity, version);
    await Promise.all(this.#draining.values());
  }

  /** Who is to answer; undefined: nobody. */
  async #successor(): Promise<LoadedVersion | undefined> {
    const before = this.#current;
    const { stable } = this.labels;
    const newest = this.versions.map(({ number }) => number);
    for (const number of candidates(this.labels, newest)) {
      if (this.isUnloaded(number)) continue;
      const candidate = await this.#ensure(number);
      if (candidate !== undefined) return candidate;
      // The last good content of that number goes on; and what a label names is not replaced by something it does not name.
      const isSame = before?.predictor.version.version === number;
      if (before !== undefined && (isSame || number === stable) && !this.#isGone(before)) return before;
    }
    return before === undefined || this.#isGone(before) ? undefined : before;
  }

  /** The version with a number, loaded; undefined where it cannot be. */
  async #ensure(number: number): Promise<LoadedVersion | undefined> {
    const entry = this.#entry(number);
    if (entry === undefined) return this.loadedVersion(number); // its folder is gone; what was loaded of it can go on
    const { published, signature } = entry;
    if (published === null || this.#rules.isStopping()) return undefined;
    const identity = identityOf(published);
    const loaded = this.#loaded.get(identity);
    if (loaded !== undefined) return loaded;
    const refusal = this.#refusals.get(identity);
    if (refusal?.signature === signature && performance.now() < refusal.retryAt) {
      this.#retryAt = Math.min(this.#retryAt, refusal.retryAt);
      return undefined;
    }
    return this.#load(published, signature, refusal);
  }

  async #load(
    published: PublishedVersion,
    signature: string,
    before: Refusal | undefined,
  ): Promise<LoadedVersion | undefined> {
    const identity = identityOf(published);
    this.#loading = published;
    try {
      const version: LoadedVersion = { predictor: await this.#rules.load(published), draining: false };
      this.#loaded.set(identity, version);
      this.#refusals.delete(identity);
      return version;
    } catch (error) {
      const refusal = refuse(error, signature, before, this.#rules.retryMs);
      this.#refusals.set(identity, refusal);
      this.#retryAt = Math.min(this.#retryAt, refusal.retryAt);
      reportRefusal(published, refusal.fault, before?.fault, this.#rules);
      return undefined;
    } finally {
      this.#loading = undefined;
    }
  }

  #swap(to: LoadedVersion | undefined): void {
    const from = this.#current;
    if (to === from) return;
    this.#current = to;
    const { log, observer } = this.#rules;
    observer.swapped(this.name, to?.predictor.version, from?.predictor.version);
    if (to === undefined) {
      log.info(`"${this.name}" is unloaded`);
      return;
    }
    const { version, device } = to.predictor;
    log.info({ digest: version.manifest.digest }, `Serving ${nameOf(version)} on ${device.actual}`);
  }

  #release(identity: string, version: LoadedVersion): void {
    this.#loaded.delete(identity);
    if (version === this.#canary) this.#canary = undefined;
    version.draining = true;
    const closed = version.predictor.close().then(
      () => this.#rules.log.debug(`Released ${nameOf(version.predictor.version)}`),
      (error: unknown) =>
        this.#rules.log.error({ err: error }, `${nameOf(version.predictor.version)} was not released`),
    );
    this.#draining.set(
      version,
      closed.finally(() => this.#draining.delete(version)),
    );
  }

  #entry(number: number): ScannedVersion | undefined {
    return this.versions.find((entry) => entry.number === number);
  }

  /** Whether it is to answer no more, whoever could take its place. */
  #isGone({ predictor }: LoadedVersion): boolean {
    return this.isUnloaded(predictor.version.version);
  }
}
