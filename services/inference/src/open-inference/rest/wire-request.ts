import { DomainError } from '@atelier/domain';
import { bytesOfBase64 } from '../../routes/base64.ts';
import type { RequestedOutput } from '../outputs.ts';
import type { InputTensor, Parameters } from '../tensor.ts';
import { flatten } from './nested-data.ts';

/** An inference request as it stands in JSON and the bytes behind it. */
export interface WireRequest {
  id: string | undefined;
  parameters: Parameters;
  inputs: InputTensor[];
  outputs: RequestedOutput[] | undefined;
}

/** More than any model takes; each may have a wrong name, and is looked at all the same. */
const MAXIMUM_TENSORS = 64;
const MAXIMUM_DIMENSIONS = 8;

/** Extensions that we do not have: what they ask for would silently not happen. */
const SHARED_MEMORY = 'shared_memory_region';

/**
 * Reads the parsed JSON of a request (section "Inference Request JSON Object"), and its binary tensors, which follow one
 * another in `tail`. `null` counts as left out. Rejects with `invalid-request`, or `unsupported-feature` for tensors in
 * shared memory. By hand, because a schema would take longer than the model.
 */
export function readWireRequest(json: unknown, tail: Buffer): WireRequest {
  const request = objectAt(json, 'The body');
  const id = request['id'] ?? undefined;
  if (id !== undefined && typeof id !== 'string') throw invalid('"id": expected a string');
  const parameters = parametersOf(request, '"parameters"');
  const inputs = new TensorReader(tail).read(listAt(request['inputs'], 'inputs'));
  const outputs = request['outputs'] ?? undefined;
  return {
    id,
    parameters,
    inputs,
    outputs: outputs === undefined ? undefined : listAt(outputs, 'outputs').map(requestedOutput),
  };
}

/** Takes the binary tensors from the bytes behind the JSON, in the order of the inputs. */
class TensorReader {
  readonly #tail: Buffer;
  #taken = 0;

  constructor(tail: Buffer) {
    this.#tail = tail;
  }

  read(list: unknown[]): InputTensor[] {
    const inputs = list.map((item, index) => this.#tensor(objectAt(item, `inputs[${index}]`), `inputs[${index}]`));
    const left = this.#tail.length - this.#taken;
    if (left > 0) throw invalid(`Unexpected additional input data: ${left} bytes follow the last binary tensor`);
    return inputs;
  }

  #tensor(input: Record<string, unknown>, place: string): InputTensor {
    const name = stringAt(input['name'], `${place}.name`);
    const datatype = stringAt(input['datatype'], `${place}.datatype`);
    const shape = shapeAt(input['shape'], `${place}.shape`);
    const parameters = parametersOf(input, `${place}.parameters`);
    if (parameters[SHARED_MEMORY] !== undefined) {
      throw new DomainError('unsupported-feature', `${place}: there is no shared memory here; send the tensor itself.`);
    }
    const size = parameters['binary_data_size'];
    const data = input['data'] ?? undefined;
    if (size === undefined) {
      if (data === undefined) throw invalid(`${place}: expected "data", or parameters.binary_data_size`);
      return { name, datatype, shape, data: elementsOf(data, datatype, shape, place) };
    }
    if (data !== undefined) throw invalid(`${place}: has both "data" and parameters.binary_data_size; expected one`);
    return { name, datatype, shape, data: this.#take(size, place) };
  }

  #take(size: unknown, place: string): Buffer {
    if (!isCount(size)) throw invalid(`${place}.parameters.binary_data_size: expected a whole number of bytes`);
    const end = this.#taken + size;
    if (end > this.#tail.length) {
      throw invalid(
        `${place}: expecting ${end - this.#tail.length} additional bytes for its binary data; ` +
          'Inference-Header-Content-Length says where the JSON ends and they begin',
      );
    }
    const bytes = this.#tail.subarray(this.#taken, end);
    this.#taken = end;
    return bytes;
  }
}

/** Flat elements; those of BYTES come in base64, since few pictures are text. */
function elementsOf(data: unknown, datatype: string, shape: number[], place: string): unknown[] {
  if (!Array.isArray(data)) throw invalid(`${place}.data: expected an array`);
  if (datatype === 'FP16') throw invalid(`${place}: FP16 has no form in JSON; send it as binary data, or FP32`);
  const elements = flatten(data, shape, `${place}.data`);
  return datatype === 'BYTES'
    ? elements.map((element, index) => decoded(element, `${place}.data, element ${index}`))
    : elements;
}

function decoded(element: unknown, place: string): Buffer {
  const bytes = typeof element === 'string' ? bytesOfBase64(element) : undefined;
  if (bytes !== undefined) return bytes;
  throw invalid(`${place}: expected a file in base64 (RFC 4648, section 4); binary data takes it as it is`);
}

function requestedOutput(item: unknown, index: number): RequestedOutput {
  const place = `outputs[${index}]`;
  const output = objectAt(item, place);
  const parameters = parametersOf(output, `${place}.parameters`);
  if (parameters[SHARED_MEMORY] !== undefined) {
    throw new DomainError('unsupported-feature', `${place}: there is no shared memory here; take it from the answer.`);
  }
  return { name: stringAt(output['name'], `${place}.name`), parameters };
}

function shapeAt(value: unknown, place: string): number[] {
  if (Array.isArray(value) && value.length <= MAXIMUM_DIMENSIONS && value.every(isCount)) return value;
  throw invalid(`${place}: expected an array of at most ${MAXIMUM_DIMENSIONS} whole numbers of at least 0`);
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function parametersOf(holder: Record<string, unknown>, place: string): Parameters {
  const parameters = holder['parameters'] ?? undefined;
  return parameters === undefined ? {} : objectAt(parameters, place);
}

function objectAt(value: unknown, place: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw invalid(`${place}: expected an object`);
}

function listAt(value: unknown, place: string): unknown[] {
  if (!Array.isArray(value)) throw invalid(`${place}: expected an array`);
  if (value.length > MAXIMUM_TENSORS)
    throw invalid(`${place}: ${value.length} tensors; at most ${MAXIMUM_TENSORS} are read`);
  return value;
}

function stringAt(value: unknown, place: string): string {
  if (typeof value === 'string') return value;
  throw invalid(`${place}: expected a string`);
}

function invalid(what: string): DomainError {
  return new DomainError('invalid-request', `${what}.`);
}
