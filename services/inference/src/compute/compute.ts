import * as timers from 'node:timers';
import { setTimeout } from 'node:timers/promises';
import { DomainError, hasCode, messageOf, PIXELS_PER_IMAGE } from '@atelier/domain';
import { type Log, RetryLater } from '@atelier/http';
import { type FileDecoder, PICTURES_PER_DECODER } from '../image/decode.ts';
import { DecodeSlots } from '../image/decode-slots.ts';
import type { DeviceClaim } from '../predictor/predictor.ts';
import { chooseDevice } from './choose-device.ts';
import { type ComputeProcess, startComputeProcess } from './compute-process.ts';
import {
  type ComputeModel,
  type KeptModel,
  type LoadObserver,
  type ModelToLoad,
  loadOnDevice,
  runOn,
  tryDevice,
  unloadFrom,
} from './load-model.ts';
import { unlessAborted } from './unless-aborted.ts';

export interface ComputeOptions {
  device: DeviceClaim['requested'];
  engines: number;
  decoders: number;
  /** How long a batch may take before its engine counts as stuck, in ms. */
  stuckMs: number;
  log: Log;
  entry?: string;
}

/** What listens to the fate of the process. */
export interface ComputeObserver extends LoadObserver {
  /** It has died or was killed, with every model; requests with it were rejected. */
  lost(reason: string): void;
}

/** A device that does not work is not tried again before: each attempt may take seconds, and prints lines. */
const NEXT_PROBE_MS = 60_000;

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
  #claim: Promise<DeviceClaim> | undefined;
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

  /**
   * What models are computed on, proved with a model of ours: rejects with `device-unavailable` where nothing that was asked
   * for works, which is no version's fault. Asked once; after a failure again, when some time has passed.
   */
  device(): Promise<DeviceClaim> {
    return (this.#claim ??= this.#proveDevice());
  }

  /**
   * Loads a model into one engine after the other and lets its `check` try it in each. Rejects with what the engine or `check`
   * says, and then nothing of it stays. With `auto` a model that the device cannot compute goes to the CPU.
   */
  async load(source: ModelToLoad): Promise<ComputeModel> {
    const device = await this.device();
    await this.#restart;
    const kept: KeptModel = { model: ++this.#lastModel, device, ...source };
    try {
      await loadOnDevice(this.#running(), kept, { ...this.#observer, log: this.#options.log });
      this.#models.set(kept.model, kept);
      return kept;
    } catch (error) {
      await this.unload(kept.model).catch(() => undefined); // the process has died: nothing is left
      throw error;
    }
  }

  async unload(model: number): Promise<void> {
    this.#models.delete(model);
    await unloadFrom(this.#process?.engines ?? [], model);
  }

  /** Runs images [rows, 28, 28]; resolves to float32 [rows, sum of the widths]: see `ToEngine`. */
  run(engine: number, model: number, images: Uint8Array, rows: number): Promise<Float32Array> {
    const channel = this.#running().engines[engine];
    if (channel === undefined) throw new RangeError(`There is no engine ${engine}.`);
    return runOn(channel, { model, rows }, images, this.#options.stuckMs);
  }

  readonly decode: FileDecoder = (file, limits, options, signal) => {
    const decoded = this.#slots.run(async () => {
      const question = { kind: 'decode', ...limits, options } as const;
      const { head, bytes } = await this.#running().decoder.ask(question, file, DECODE_LIMIT_MS);
      if (bytes.length !== PIXELS_PER_IMAGE || head.facts === undefined) {
        throw new DomainError('engine-fault', `The decoder gave ${bytes.length} pixels; expected ${PIXELS_PER_IMAGE}.`);
      }
      return { image: bytes, pixels: head.pixels ?? 0, facts: head.facts };
    }, signal);
    return unlessAborted(decoded, signal);
  };

  async close(): Promise<void> {
    this.#closing.abort();
    if (this.#isRestoring) this.#process?.kill('the service stops while it loads its models');
    await this.#restart;
    await this.#process?.close();
  }

  #running(): ComputeProcess {
    if (this.#closing.signal.aborted) throw new RetryLater('shutting-down', 'The service is stopping.');
    if (this.#process === undefined) throw new RetryLater('not-ready', 'The engine is being restarted.', 1);
    return this.#process;
  }

  async #proveDevice(): Promise<DeviceClaim> {
    const { device: requested, log } = this.#options;
    try {
      const { actual, reason, remedies } = await chooseDevice(requested, async (device) => {
        await this.#restart;
        await tryDevice(this.#running(), ++this.#lastModel, device, this.#observer);
      });
      if (reason !== null) {
        log.warn(
          { device: actual, reason },
          `DEVICE=${requested} computes on ${actual}. ${reason}. ${remedies.join(' ')}`,
        );
      }
      return { requested, actual, reason };
    } catch (error) {
      const pauseMs = hasCode(error, 'device-unavailable') ? NEXT_PROBE_MS : 0;
      timers.setTimeout(() => (this.#claim = undefined), pauseMs).unref();
      throw error;
    }
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
        signal.throwIfAborted(); // whoever closes has waited for it, and kills what it finds before
        for (const kept of this.#models.values()) await this.#bringBack(started, kept);
        this.#use(started);
        this.#isRestoring = false;
        log.info({ pid: started.pid, models: this.#models.size }, 'The compute process runs again');
        return;
      } catch (error) {
        if (!signal.aborted) log.error({ err: error }, `The compute process does not start: ${messageOf(error)}`);
        this.#process?.kill('it could not load its models');
        this.#process = undefined;
      }
    }
  }

  /** A model may be released while it is loaded: then it is to lie in no engine, and its trial may fail. */
  async #bringBack(started: ComputeProcess, kept: KeptModel): Promise<void> {
    try {
      await loadOnDevice(started, kept, { ...this.#observer, log: this.#options.log });
    } catch (error) {
      if (this.#models.has(kept.model)) throw error;
    }
    if (!this.#models.has(kept.model)) await unloadFrom(started.engines, kept.model);
  }

  /** A batch was computed: the process works, and the next one that dies is replaced at once. */
  works(): void {
    this.#attempts = 0;
  }
}
