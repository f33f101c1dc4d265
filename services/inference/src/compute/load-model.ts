import { DomainError, hasCode, messageOf } from '@atelier/domain';
import type { Log } from '@atelier/http';
import type { Device, DeviceClaim } from '../predictor/predictor.ts';
import type { Channel } from './channel.ts';
import type { ComputeProcess } from './compute-process.ts';
import { deviceFaultOf, deviceUnavailable, reasonOf } from './device-faults.ts';
import { checkProbe, PROBE_MODEL, PROBE_OUTPUTS } from './device-probe.ts';
import type { LoadedModel, OutputColumns } from './messages.ts';

/** One engine, while a model is loaded into it and tried. */
export interface EngineTrial extends LoadedModel {
  run(images: Uint8Array, rows: number): Promise<Float32Array>;
}

/** What is to be loaded. */
export interface ModelToLoad {
  /** Of an ONNX file. */
  readonly bytes: Uint8Array;
  /** What a run gives, in this order. */
  readonly outputs: readonly OutputColumns[];
  /** Tries it in each engine; rejects where it is not what it should be. */
  readonly check: (trial: EngineTrial) => Promise<void>;
}

/** A model in the engines. */
export interface ComputeModel {
  /** The number under which `run` and `unload` mean it. */
  readonly model: number;
  /** What it computes on: proved anew, and perhaps another, in each process that takes the place of one that died. */
  readonly device: DeviceClaim;
}

/** As it is kept, so that the next process can load it as well. */
export interface KeptModel extends ComputeModel, ModelToLoad {
  device: DeviceClaim;
}

/** What hears of loads: while an engine loads, it computes nothing else. */
export interface LoadObserver {
  loading(engine: number, isLoading: boolean): void;
}

/** Loading reads megabytes; on a GPU it compiles, and so does the first run with each batch size. */
const LOAD_LIMIT_MS = 60_000;

/**
 * Lets the first engine compute our own model on a device; rejects with `device-unavailable` where it does not, also where
 * the attempt kills the process or hangs.
 */
export async function tryDevice(
  running: ComputeProcess,
  model: number,
  device: Device,
  observer: LoadObserver,
): Promise<void> {
  try {
    const probe = { model, device, bytes: PROBE_MODEL, outputs: PROBE_OUTPUTS, check: checkProbe };
    await loadInto(running, running.engines.slice(0, 1), probe, observer);
  } catch (error) {
    if (!hasCode(error, 'engine-lost')) throw error;
    const reason = await running.ended;
    throw new DomainError('device-unavailable', `it ended the compute process: ${reason?.message ?? 'closed'}`);
  } finally {
    await unloadFrom(running.engines, model).catch(() => undefined); // the process has died
  }
}

/** Loads a model on the device of its claim, and writes there what it is computed on. */
export async function loadOnDevice(
  running: ComputeProcess,
  kept: KeptModel,
  observer: LoadObserver & { log: Log },
): Promise<void> {
  const { requested, actual } = kept.device;
  try {
    await loadInto(running, running.engines, { ...kept, device: actual }, observer);
  } catch (error) {
    if (actual === 'cpu' || !hasCode(error, 'device-unavailable')) throw error;
    const fault = deviceFaultOf(actual, messageOf(error));
    if (requested !== 'auto') throw deviceUnavailable(actual, fault);
    await unloadFrom(running.engines, kept.model);
    await loadInto(running, running.engines, { ...kept, device: 'cpu' }, observer);
    const reason = reasonOf(actual, fault);
    kept.device = { requested, actual: 'cpu', reason };
    observer.log.warn({ device: 'cpu', reason }, `A model computes on cpu. ${reason}. ${fault.remedy}`);
  }
}

async function loadInto(
  running: ComputeProcess,
  engines: readonly Channel[],
  { model, device, bytes, outputs, check }: Omit<KeptModel, 'device'> & { device: Device },
  observer: LoadObserver,
): Promise<void> {
  for (const channel of engines) {
    const engine = running.engines.indexOf(channel);
    observer.loading(engine, true);
    try {
      const { loaded } = (await channel.ask({ kind: 'load', model, device, outputs }, bytes, LOAD_LIMIT_MS)).head;
      if (loaded === undefined) throw new Error('The engine says nothing of the model that it has loaded.');
      await check({ ...loaded, run: (images, rows) => runOn(channel, { model, rows }, images, LOAD_LIMIT_MS) });
    } catch (error) {
      // A session may open on a GPU for which the runtime has no code: that shows in the first run.
      if (device === 'cpu' || !hasCode(error, 'engine-fault')) throw error;
      throw new DomainError('device-unavailable', messageOf(error.cause), { cause: error });
    } finally {
      observer.loading(engine, false);
    }
  }
}

export async function unloadFrom(engines: readonly Channel[], model: number): Promise<void> {
  await Promise.all(engines.map((engine) => engine.ask({ kind: 'unload', model }, undefined, LOAD_LIMIT_MS)));
}

export async function runOn(
  engine: Channel,
  batch: { model: number; rows: number },
  images: Uint8Array,
  limitMs: number,
): Promise<Float32Array> {
  const { bytes } = await engine.ask({ kind: 'run', ...batch }, images, limitMs);
  return new Float32Array(bytes.buffer, bytes.byteOffset, Math.floor(bytes.length / Float32Array.BYTES_PER_ELEMENT));
}
