import { setTimeout } from 'node:timers/promises';
import { DomainError, messageOf, PIXELS_PER_IMAGE } from '@atelier/domain';
import { type Log, RetryLater } from '@atelier/http';
import { type FileDecoder, PICTURES_PER_DECODER } from '../image/decode.ts';
import { DecodeSlots } from '../image/decode-slots.ts';
import type { DeviceClaim } from '../predictor/predictor.ts';
import type { Channel } from './channel.ts';
import { type ComputeProcess, startComputeProcess } from './compute-process.ts';
import type { LoadedModel } from './messages.ts';

export interface ComputeOptions {
  device: DeviceClaim['requested'];
  engines: number;
  decoders: number;
  /** How long a batch may take before its engine counts as stuck, in ms. */
  stuckMs: number;
  log: Log;
  entry?: string;
}

/** One engine, while a model is loaded into it and tried. */
export interface EngineTrial extends LoadedModel {
  run(images: Uint8Array, rows: number): Promise<Float32Array>;
}

/** A model as it is kept, so that the next process can load it as well. */
interface KeptModel {
  bytes: Uint8Array;
  check: (trial: EngineTrial) => Promise<void>;
}

/** What listens to the fate of the process. */
export interface ComputeObserver {
  /** It has died or was killed, with every model; requests with it were rejected. */
  lost(reason: string): void;
  /** A process runs again, and has every model. */
  restored(): void;
  /** While an engine loads, it computes nothing else. */
  loading(engine: number, isLoading: boolean): void;
}

/** Loading reads megabytes; on a GPU it compiles, and so does the first run with each batch size. */
const LOAD_LIMIT_MS = 60_000;

/** More than a picture within the limits takes, waiting included. */
const DECODE_LIMIT_MS = 30_000;

/** Before the second attempt to start, doubled for each further one up to the maximum; the first is made at once. */
const FIRST_DELAY_MS = 100;
const MAXIMUM_DELAY_MS = 10_000;

/** Keeps one compute process running: one that dies or is stuck is replaced, and gets every model that it had. */
export class Compute {
  readonly #options: ComputeOptions;
  readonly #observer: ComputeObserver;
  readonly #models = new Map<number, KeptModel>();
  readonly #slots: DecodeSlots;
  readonly #closing = new AbortController();
  #process: ComputeProcess | undefined;
  #isRestoring = false;
  #restart: Promise<void> | undefined;
  #lastModel = 0;
  #attempts = 0;

  private constructor(options: ComputeOptions, observer: ComputeObserver) {
    this.#options = options;
    this.#observer = observer;
    this.#slots = new DecodeSlots(options.decoders * PICTURES_PER_DECODER);
  }

  static async start(options: ComputeOptions, observer: ComputeObserver): Promise<Compute> {
    const compute = new Compute(options, observer);
    compute.#use(await startComputeProcess(options));
    return compute;
  }

  /** Whether a process runs and has every model. */
  get ready(): boolean {
    return this.#process !== undefined && !this.#isRestoring && !this.#closing.signal.aborted;
  }

  /** Of the process that runs, for those who measure it. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  get engines(): number {
    return this.#options.engines;
  }

  /**
   * Loads a model into one engine after the other and lets `check` try it in each; resolves to its number and what the
   * first engine says of it. Rejects with what the engine or `check` says, and then nothing of it stays.
   */
  async load(bytes: Uint8Array, check: KeptModel['check']): Promise<{ model: number; loaded: LoadedModel }> {
    await this.#restart;
    const model = ++this.#lastModel;
    try {
      const loaded = await this.#loadInto(this.#running(), model, { bytes, check });
      this.#models.set(model, { bytes, check });
      return { model, loaded };
    } catch (error) {
      await this.unload(model).catch(() => undefined); // the process has died: nothing is left
      throw error;
    }
  }

  async unload(model: number): Promise<void> {
    this.#models.delete(model);
    const engines = this.#process?.engines ?? [];
    await Promise.all(engines.map((engine) => engine.ask({ kind: 'unload', model }, undefined, LOAD_LIMIT_MS)));
  }

  /** Runs images [rows, 28, 28]; resolves to float32 [rows, 20], a row's logits and then its probabilities. */
  run(engine: number, model: number, images: Uint8Array, rows: number): Promise<Float32Array> {
    const channel = this.#running().engines[engine];
    if (channel === undefined) throw new RangeError(`There is no engine ${engine}.`);
    return runOn(channel, { model, rows }, images, this.#options.stuckMs);
  }

  /** Pictures that wait for a decoder. */
  get waitingPictures(): number {
    return this.#slots.waiting;
  }

  readonly decode: FileDecoder = (file, limits, signal) => {
    const decoded = this.#slots.run(async () => {
      const { head, bytes } = await this.#running().decoder.ask({ kind: 'decode', ...limits }, file, DECODE_LIMIT_MS);
      if (bytes.length !== PIXELS_PER_IMAGE) {
        throw new DomainError('engine-fault', `The decoder gave ${bytes.length} pixels; expected ${PIXELS_PER_IMAGE}.`);
      }
      return { image: bytes, pixels: head.pixels ?? 0 };
    }, signal);
    return unlessAborted(decoded, signal);
  };

  async close(): Promise<void> {
    this.#closing.abort();
    if (this.#isRestoring) this.#process?.kill('the service stops while it loads its models');
    await this.#restart;
    await this.#process?.close().catch((error: unknown) => this.#options.log.error({ err: error }, messageOf(error)));
  }

  #running(): ComputeProcess {
    if (this.#closing.signal.aborted) throw new RetryLater('shutting-down', 'The service is stopping.');
    if (this.#process === undefined) throw new RetryLater('not-ready', 'The engine is being restarted.', 1);
    return this.#process;
  }

  async #loadInto({ engines }: ComputeProcess, model: number, { bytes, check }: KeptModel): Promise<LoadedModel> {
    let first: LoadedModel | undefined;
    for (const [engine, channel] of engines.entries()) {
      this.#observer.loading(engine, true);
      try {
        const question = { kind: 'load', model, device: this.#options.device } as const;
        const { loaded } = (await channel.ask(question, bytes, LOAD_LIMIT_MS)).head;
        if (loaded === undefined) throw new Error('The engine says nothing of the model that it has loaded.');
        await check({ ...loaded, run: (images, rows) => runOn(channel, { model, rows }, images, LOAD_LIMIT_MS) });
        first ??= loaded;
      } finally {
        this.#observer.loading(engine, false);
      }
    }
    if (first === undefined) throw new RangeError('There are no engines.');
    return first;
  }

  #use(started: ComputeProcess): void {
    this.#process = started;
    void started.ended.then((reason) => {
      if (this.#process === started) this.#process = undefined;
      if (reason === undefined || this.#closing.signal.aborted) return;
      this.#options.log.error({ err: reason, pid: started.pid }, 'The compute process was lost; starting another');
      this.#observer.lost(reason.message);
      this.#restart ??= this.#startAgain().finally(() => (this.#restart = undefined));
    });
  }

  async #startAgain(): Promise<void> {
    const { log } = this.#options;
    const { signal } = this.#closing;
    this.#isRestoring = true;
    while (!signal.aborted) {
      const delayMs = this.#attempts === 0 ? 0 : Math.min(MAXIMUM_DELAY_MS, FIRST_DELAY_MS * 2 ** (this.#attempts - 1));
      this.#attempts++;
      await setTimeout(delayMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      try {
        const started = await startComputeProcess(this.#options);
        this.#process = started;
        for (const [model, kept] of this.#models) await this.#loadInto(started, model, kept);
        this.#use(started);
        this.#isRestoring = false;
        log.info({ pid: started.pid, models: this.#models.size }, 'The compute process runs again');
        this.#observer.restored();
        return;
      } catch (error) {
        if (!signal.aborted) log.error({ err: error }, `The compute process does not start: ${messageOf(error)}`);
        this.#process?.kill('it could not load its models');
        this.#process = undefined;
      }
    }
  }

  /** A batch was computed: the process works, and the next one that dies is replaced at once. */
  works(): void {
    this.#attempts = 0;
  }
}

async function runOn(
  engine: Channel,
  batch: { model: number; rows: number },
  images: Uint8Array,
  limitMs: number,
): Promise<Float32Array> {
  const { bytes } = await engine.ask({ kind: 'run', ...batch }, images, limitMs);
  return new Float32Array(bytes.buffer, bytes.byteOffset, Math.floor(bytes.length / Float32Array.BYTES_PER_ELEMENT));
}

/** What becomes of `task`, unless `signal` aborts before: nobody waits for a native call that cannot be stopped. */
async function unlessAborted<T>(task: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return task;
  let stop: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason as Error);
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([task, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
