import { DomainError } from '@atelier/domain';
import { InvalidRequest } from '@atelier/http';
import type { RequestedOutput } from '../open-inference/outputs.ts';
import {
  type Datatype,
  type InputTensor,
  type OutputTensor,
  type Parameters,
  rawBytes,
} from '../open-inference/tensor.ts';
import type { InputMessage, ModelInferRequest, ModelInferResponse, Parameter, TensorContents } from './messages.ts';

/** The field of each datatype's elements; FP16 has none. */
const FIELDS: Record<Exclude<Datatype, 'FP16'>, keyof TensorContents> = {
  BOOL: 'bool_contents',
  UINT8: 'uint_contents',
  UINT16: 'uint_contents',
  UINT32: 'uint_contents',
  UINT64: 'uint64_contents',
  INT8: 'int_contents',
  INT16: 'int_contents',
  INT32: 'int_contents',
  INT64: 'int64_contents',
  FP32: 'fp32_contents',
  FP64: 'fp64_contents',
  BYTES: 'bytes_contents',
};

/**
 * The tensors of a request in their order. `invalid-request` where some come raw and some typed, where there are not as
 * many raw contents as inputs, where elements lie in a field of another datatype, and for a negative size.
 */
export function inputTensors({ inputs, raw_input_contents: raw }: ModelInferRequest): InputTensor[] {
  if (raw.length === 0) return inputs.map((input) => tensorOf(input, typedElements(input)));
  const typed = inputs.find(({ contents }) => contents !== null);
  if (typed !== undefined) {
    throw invalid(
      `Input "${nameOf(typed)}" has contents, and there are raw_input_contents; expected either for all inputs`,
    );
  }
  if (raw.length !== inputs.length) {
    throw invalid(`${raw.length} raw_input_contents came for ${inputs.length} inputs; expected one for each`);
  }
  return inputs.map((input, index) => tensorOf(input, raw[index] ?? new Uint8Array()));
}

/** The values of parameters by their names; one of no kind is left out. */
export function parametersOf(parameters: Record<string, Parameter>): Parameters {
  const kinds = Object.entries(parameters).map(([name, parameter]) => {
    const kind = parameter.parameter_choice;
    return [name, kind === undefined ? undefined : parameter[kind]] as const;
  });
  return Object.fromEntries(kinds.filter(([, value]) => value !== undefined));
}

export function requestedOutputs({ outputs }: ModelInferRequest): RequestedOutput[] {
  return outputs.map(({ name, parameters }) => ({ name, parameters: parametersOf(parameters) }));
}

/** The tensors of an answer in the form in which those of its request came. */
export function outputMessages(
  outputs: readonly OutputTensor[],
  raw: boolean,
): Pick<ModelInferResponse, 'outputs' | 'raw_output_contents'> {
  const described = outputs.map(({ name, datatype, shape }) => ({ name, datatype, shape }));
  if (raw) return { outputs: described, raw_output_contents: outputs.map(rawBytes) };
  return {
    outputs: outputs.map((output, index) => ({ ...(described[index] ?? output), contents: contentsOf(output) })),
  };
}

function tensorOf({ name, datatype, shape }: InputMessage, data: InputTensor['data']): InputTensor {
  const negative = shape.find((size) => size < 0);
  if (negative === undefined) return { name, datatype, shape, data };
  throw invalid(`Input "${name.slice(0, 64)}" has a size of ${negative}; expected sizes of at least 0`);
}

/** Of a datatype without a field, none: whoever looks at the datatype refuses it. */
function typedElements(input: InputMessage): readonly unknown[] {
  const { datatype, contents } = input;
  if (contents === null) throw invalid(`Input "${nameOf(input)}" has neither contents nor raw_input_contents`);
  const field = Object.hasOwn(FIELDS, datatype) ? FIELDS[datatype as keyof typeof FIELDS] : undefined;
  const strange = Object.entries<readonly unknown[]>({ ...contents }).find(
    ([name, elements]) => name !== field && elements.length > 0,
  )?.[0];
  if (field === undefined) return [];
  if (strange === undefined) return contents[field];
  throw invalid(`Input "${nameOf(input)}" has ${strange}; the elements of ${datatype} come as ${field}`);
}

function contentsOf(output: OutputTensor): Partial<TensorContents> {
  if (output.datatype === 'FP32') return { fp32_contents: Array.from(output.data) };
  return { bytes_contents: output.data.map((text) => Buffer.from(text)) };
}

function nameOf({ name }: InputMessage): string {
  return name.slice(0, 64);
}

function invalid(what: string): DomainError {
  return new InvalidRequest(`${what}.`, []);
}
