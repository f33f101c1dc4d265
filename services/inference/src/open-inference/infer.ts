import { DomainError, PIXELS_PER_IMAGE } from '@atelier/domain';
import { deadlineAfter, deadlineExceeded } from '@atelier/http';
import type { DriftMonitor } from '../drift/drift-monitor.ts';
import type { Models } from '../models/models.ts';
import { type CarriedImages, predictPictures } from '../predictor/mirror-choice.ts';
import type { Predictor } from '../predictor/predictor.ts';
import { callOptions } from './call-options.ts';
import { type ImageSource, imagesOf } from './image-input.ts';
import { chooseOutputs, outputTensors, type RequestedOutput } from './outputs.ts';
import type { InferenceStatistics } from './statistics.ts';
import type { InputTensor, OutputTensor, Parameters } from './tensor.ts';

/** An inference request of the protocol, over whatever it came; `inputs` and `outputs` are not checked yet. */
export interface InferCall {
  model: string;
  /** As the protocol has it, a string; undefined or empty: the service chooses. */
  version?: string | undefined;
  id?: string | undefined;
  parameters: Parameters;
  inputs: readonly InputTensor[];
  /** Undefined or empty: all. */
  outputs?: readonly RequestedOutput[] | undefined;
  /** Gives up when it aborts, with its reason. */
  signal?: AbortSignal | undefined;
  /** From which moment on the answer is of no use, in ms as `performance.now` counts them. */
  deadline?: number | undefined;
  /** When the request came, in the same ms: the parameter `timeout` counts from here. Default: now. */
  received?: number | undefined;
  /** Decides between the versions of a canary. */
  requestId?: string | undefined;
  /** Is told how long its parts took; see `PredictOptions`. */
  timings?: Record<string, number> | undefined;
}

export interface InferResult {
  /** Who answered: its version, its digest and its device. */
  predictor: Predictor;
  modelName: string;
  modelVersion: string;
  /** That of the call. */
  id: string | undefined;
  outputs: OutputTensor[];
}

/** What `infer` needs of the service. */
export interface InferParts extends ImageSource {
  models: Models;
  statistics: InferenceStatistics;
  /** Is told of what is answered to those who wait. Default: nobody is. */
  drift?: Pick<DriftMonitor, 'answered'>;
}

/**
 * Answers one request. Rejects with `model-not-found`, `not-ready`, `shutting-down`; `invalid-request` and the codes of
 * `imagesOf` for what is wrong in it; and with what `Predictor.predict` rejects with.
 */
export async function infer(
  call: InferCall,
  { models, decode, limits, statistics, drift }: InferParts,
): Promise<InferResult> {
  const { received = performance.now(), signal } = call;
  const predictor = chooseVersion(models, call.model, call.version, call.requestId);
  const { version } = predictor;
  try {
    chooseOutputs(call.outputs, version.manifest); // refused before anything is read
    const { priority, timeoutMs = Infinity } = callOptions(call.parameters);
    const deadline = Math.min(call.deadline ?? Infinity, deadlineAfter(timeoutMs, received) ?? Infinity);
    const began = performance.now();
    const carried = await readBefore(deadline, signal, (bounded) => imagesOf(call.inputs, { decode, limits }, bounded));
    const read = performance.now();
    if (read >= deadline) throw deadlineExceeded();
    // What became of each picture has no place in the protocol.
    const { outputs, images } = await predictPictures(predictor, carried, {
      priority,
      ...(signal !== undefined && { signal }),
      ...(deadline !== Infinity && { deadline }),
      ...(call.timings !== undefined && { timings: call.timings }),
    });
    const computed = performance.now();
    const { version: answering } = predictor; // another one where the first was released while pictures were decoded
    const tensors = outputTensors(chooseOutputs(call.outputs, answering.manifest), outputs);
    if (priority === 'online') drift?.answered(answering, outputs);
    statistics.answered(answering, {
      count: images.length / PIXELS_PER_IMAGE,
      inputMs: read - began,
      predictMs: computed - read,
      outputMs: performance.now() - computed,
    });
    return {
      predictor,
      modelName: answering.name,
      modelVersion: String(answering.version),
      id: call.id,
      outputs: tensors,
    };
  } catch (error) {
    statistics.failed(version, performance.now() - received);
    throw error;
  }
}

/** The version that a client names as the protocol does, by a string; `model-not-found` for one that is no number. */
export function chooseVersion(
  models: Models,
  name: string,
  version: string | undefined,
  requestId?: string,
): Predictor {
  const number = version === undefined || version === '' ? undefined : versionNumber(name, version);
  return models.choose({ name, version: number, requestId });
}

export function versionNumber(name: string, version: string): number {
  if (/^[1-9]\d{0,14}$/.test(version)) return Number(version);
  throw new DomainError(
    'model-not-found',
    `${JSON.stringify(name.slice(0, 64))} has no version ${JSON.stringify(version.slice(0, 32))}: versions are 1, 2 and so on.`,
  );
}

/** Reads with a signal that aborts with `deadline-exceeded`, too; only what takes a while needs one. */
function readBefore(
  deadline: number,
  signal: AbortSignal | undefined,
  read: (bounded: () => AbortSignal | undefined) => CarriedImages | Promise<CarriedImages>,
): CarriedImages | Promise<CarriedImages> {
  const late = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const images = read(() => {
    if (deadline === Infinity) return signal;
    timer = setTimeout(() => late.abort(deadlineExceeded()), deadline - performance.now());
    return signal === undefined ? late.signal : AbortSignal.any([signal, late.signal]);
  });
  return images instanceof Promise ? images.finally(() => clearTimeout(timer)) : images;
}
