import { cp, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DomainError, type ErrorCode, PIXELS_PER_IMAGE } from '@atelier/domain';
import {
  type Comparison,
  type ExplainedOutputs,
  type ModelSource,
  type Outputs,
  type PredictOptions,
  type Predictor,
  type RepositoryModels,
  serveModels,
  type TrafficObserver,
} from '@atelier/inference';
import { digestOf, type PublishedVersion } from '@atelier/model-repository';
import { versionContent } from './published-version.ts';
import { type RecordedLog, recordedLog } from './recorded-log.ts';

const { manifest } = versionContent();

/** Writes version `number` of a model whose file is `content`, in one step; over another one of that number. */
export async function writeVersion(root: string, number: number, content = `v${number}`, name = 'fashion-mlp') {
  const home = join(root, name);
  const staging = join(home, `.staging-${number}`);
  await mkdir(staging, { recursive: true });
  await writeFile(join(staging, 'model.onnx'), content);
  const digest = digestOf(Buffer.from(content));
  const complete = { ...manifest, name, version: number, digest, sizeBytes: content.length };
  await writeFile(join(staging, 'manifest.json'), JSON.stringify(complete));
  await rm(join(home, String(number)), { recursive: true, force: true });
  await rename(staging, join(home, String(number)));
}

export function removeVersion(root: string, number: number, name = 'fashion-mlp'): Promise<void> {
  return rm(join(root, name, String(number)), { recursive: true });
}

/** A new number for what lies under another one. */
export function copyVersion(root: string, from: number, to: number): Promise<void> {
  return cp(join(root, 'fashion-mlp', String(from)), join(root, 'fashion-mlp', String(to)), { recursive: true });
}

/** Stands in for an engine: answers the probabilities it is told, and counts. */
export class FakePredictor implements Predictor {
  readonly device = { requested: 'cpu', actual: 'cpu', reason: null } as const;
  readonly version: PublishedVersion;
  ready = true;
  closed = false;
  readonly asked: (PredictOptions | undefined)[] = [];
  /** The class that it finds in everything. */
  found = 0;
  /** What it waits for before it answers. */
  gate: Promise<unknown> = Promise.resolve();
  failure: Error | undefined;
  #inFlight: Promise<unknown> = Promise.resolve();

  constructor(version: PublishedVersion) {
    this.version = version;
  }

  async predict(images: Uint8Array, options?: PredictOptions): Promise<Outputs> {
    if (this.closed) throw new DomainError('shutting-down', 'This version is closed.');
    this.asked.push(options);
    const answer = this.gate.then(() => {
      if (this.failure !== undefined) throw this.failure;
      const probabilities = new Float32Array((images.length / PIXELS_PER_IMAGE) * 10);
      for (let row = this.found; row < probabilities.length; row += 10) probabilities[row] = 1;
      return { logits: probabilities, probabilities };
    });
    this.#inFlight = Promise.allSettled([this.#inFlight, answer]);
    return answer;
  }

  explain(_images: Uint8Array, outputs: Outputs): Promise<ExplainedOutputs> {
    return Promise.resolve({ outputs, explanations: [] });
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.#inFlight;
  }
}

export interface FakeService extends RecordedLog {
  models: RepositoryModels;
  /** Names of versions in the order in which they were loaded, also in vain. */
  loads: string[];
  /** The predictors that came of it, by `name/number`; the last of each. */
  predictors: Map<string, FakePredictor>;
  /** By the content of a model's file: why it does not load. */
  faults: Map<string, ErrorCode>;
  /** What every load waits for. */
  gate: { current: Promise<unknown> };
  told: { swaps: string[]; refusals: string[]; comparisons: Comparison[]; dropped: number; failed: string[] };
  /** The stable version's number. */
  stable(): number | undefined;
  /** Numbers that answer when they are asked for. */
  ready(): number[];
}

/** `serveModels` without engines, watches and polls: it looks when it is told to. */
export function serveFakes(root: string, change: Partial<ModelSource> = {}): FakeService {
  const recorded = recordedLog();
  const loads: string[] = [];
  const predictors = new Map<string, FakePredictor>();
  const faults = new Map<string, ErrorCode>();
  const gate = { current: Promise.resolve() as Promise<unknown> };
  const told: FakeService['told'] = { swaps: [], refusals: [], comparisons: [], dropped: 0, failed: [] };
  const observer: TrafficObserver = {
    compared: (_canary, comparison) => void told.comparisons.push(comparison),
    shadowDropped: () => void told.dropped++,
    shadowFailed: (_canary, code) => void told.failed.push(code),
    swapped: (_name, to, from) => void told.swaps.push(`${from?.version ?? 'none'} to ${to?.version ?? 'none'}`),
    refused: ({ name, version }, code) => void told.refusals.push(`${name}/${version} ${code}`),
  };
  const load = async (version: PublishedVersion) => {
    const name = `${version.name}/${version.version}`;
    loads.push(name);
    await gate.current;
    for (const [content, code] of faults) {
      if (digestOf(Buffer.from(content)) !== version.manifest.digest) continue;
      throw new DomainError(code, `${version.directory}/model.onnx is bad.`);
    }
    const predictor = new FakePredictor(version);
    predictors.set(name, predictor);
    return predictor;
  };
  const models = serveModels(
    {
      root,
      name: 'fashion-mlp',
      models: '*',
      keepVersions: 2,
      canaryPercent: 0,
      shadowPercent: 0,
      pollMs: 0,
      watch: false,
      load,
      observer,
      ...change,
    },
    recorded.log,
  );
  return {
    ...recorded,
    models,
    loads,
    predictors,
    faults,
    gate,
    told,
    stable: () => models.served()?.version,
    ready: () => models.statuses().flatMap(({ version, state }) => (state === 'READY' ? [version.version] : [])),
  };
}
