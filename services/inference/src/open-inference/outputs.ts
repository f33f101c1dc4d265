import {
  CLASS_COUNT,
  className,
  DomainError,
  type Manifest,
  OUTLIER_SCORE,
  type PublishedOutput,
  publishedOutputs,
} from '@atelier/domain';
import type { Outputs } from '../predictor/predictor.ts';
import type { OutputTensor, Parameters } from './tensor.ts';

/** An output that a request asks for. */
export interface RequestedOutput {
  name: string;
  /** `classification: k` asks for the k best classes in place of the numbers. */
  parameters: Parameters;
}

type OutputName = PublishedOutput['name'];

/** What is asked for, checked: which output, and how many classes of it where not its numbers. */
export interface ChosenOutput {
  name: OutputName;
  classes: number | undefined;
}

/** Where the numbers of an output are. */
const FIELDS = {
  logits: 'logits',
  probabilities: 'probabilities',
  outlier_score: 'outlierScores',
} as const satisfies Record<OutputName, keyof Outputs>;

/**
 * Those that are asked for of a version, in that order; all where none is named. `invalid-request` for one that it does not
 * give, or that is asked for twice.
 */
export function chooseOutputs(
  requested: readonly RequestedOutput[] | undefined,
  manifest: Pick<Manifest, 'trust'>,
): readonly ChosenOutput[] {
  const names = publishedOutputs(manifest).map(({ name }) => name);
  if (requested === undefined || requested.length === 0) return names.map((name) => ({ name, classes: undefined }));
  return requested.map(({ name, parameters }, index) => {
    const known = names.find((candidate) => candidate === name);
    if (known === undefined) {
      throw invalid(`There is no output ${JSON.stringify(name.slice(0, 64))}; the model gives ${names.join(' and ')}`);
    }
    if (requested.findIndex((other) => other.name === name) < index)
      throw invalid(`Output "${name}" is asked for twice`);
    return { name: known, classes: classesOf(known, parameters['classification']) };
  });
}

/** `engine-fault` where there is a value that is no number: JSON has none for it, and nobody can use it. */
export function outputTensors(chosen: readonly ChosenOutput[], outputs: Outputs): OutputTensor[] {
  const count = outputs.probabilities.length / CLASS_COUNT;
  return chosen.map(({ name, classes }) => {
    const values = outputs[FIELDS[name]] ?? new Float32Array(count).fill(NaN);
    if (!values.every(Number.isFinite))
      throw new DomainError('engine-fault', `The model computed ${name} that are no numbers.`);
    const shape = name === OUTLIER_SCORE.name ? [count] : [count, CLASS_COUNT];
    if (classes === undefined) return { name, datatype: 'FP32', shape, data: values };
    return { name, datatype: 'BYTES', shape: [count, classes], data: classify(values, classes) };
  });
}

/**
 * The extension `classification`: for each row of `values` [n, 10] its `count` best as `<value>:<index>:<label>`, best first;
 * of equal ones the lower index.
 */
export function classify(values: Float32Array, count: number): string[] {
  const texts: string[] = [];
  for (let start = 0; start < values.length; start += CLASS_COUNT) {
    const row = values.subarray(start, start + CLASS_COUNT);
    const order = [...row.keys()].sort((a, b) => (row[b] ?? 0) - (row[a] ?? 0));
    for (const index of order.slice(0, count)) texts.push(`${shortest(row[index] ?? 0)}:${index}:${className(index)}`);
  }
  return texts;
}

/** Nine significant digits give a 32-bit float back (IEEE 754, section 5.12.2). */
function shortest(value: number): string {
  return String(Number(value.toPrecision(9)));
}

/** More than there are gives all, as Triton does: clients ask for five of any model. */
function classesOf(output: OutputName, value: unknown): number | undefined {
  if (value === undefined) return undefined;
  if (output === OUTLIER_SCORE.name) throw invalid(`Output "${output}" has no classes; expected no classification`);
  const count = typeof value === 'bigint' ? Number(value) : value;
  if (typeof count === 'number' && Number.isInteger(count) && count >= 1) return Math.min(count, CLASS_COUNT);
  const came = typeof count === 'number' ? String(count) : typeof count;
  throw invalid(`Output "${output}", classification: ${came}; expected a whole number of at least 1`);
}

function invalid(what: string): DomainError {
  return new DomainError('invalid-request', `${what}.`);
}
