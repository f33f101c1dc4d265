import assert from 'node:assert/strict';
import { deflateSync, gzipSync } from 'node:zlib';
import type { Answer, Sent } from './connection.ts';
import { fromRaw, nest, PROTOCOL_DATATYPES, sampleValues, toRaw, type Values } from './datatypes.ts';
import type { TensorMetadata } from './subject.ts';

/** A tensor to send. */
export interface Sample {
  name: string;
  datatype: string;
  shape: number[];
  values: Values;
}

/** How an inference request is written. */
export interface Writing {
  inputs: Sample[];
  /** How each input goes. Default: all nested. */
  form?: (index: number) => 'nested' | 'flat' | 'binary';
  outputs?: { name: string; parameters?: Record<string, unknown> }[];
  id?: string;
  parameters?: Record<string, unknown>;
  version?: string;
  compression?: 'gzip' | 'deflate';
  headers?: Record<string, string>;
}

/** A tensor that came. */
export interface Received {
  datatype: string;
  shape: number[];
  values: Values;
  binary: boolean;
}

export interface InferenceAnswer {
  json: Record<string, unknown> & { model_name: string; model_version?: string; id?: string };
  outputs: ReadonlyMap<string, Received>;
}

export const LENGTH_HEADER = 'Inference-Header-Content-Length';

/** Two runs of one model agree to this, relative to the larger; the batch and the form of a request may change the last bits. */
const TOLERANCE = 1e-4;

/** One of what the model takes, with sizes of 1 where the request chooses. */
export function sampleOf({ name, datatype, shape }: TensorMetadata): Sample {
  const sizes = shape.map((size) => (size === -1 ? 1 : size));
  const count = sizes.reduce((product, size) => product * size, 1);
  return { name, datatype, shape: sizes, values: sampleValues(datatype, count) };
}

/** `POST path/infer`, or that of a version. */
export function inferenceRequest(path: string, writing: Writing): Sent {
  const { inputs, form = () => 'nested', outputs, id, parameters, version, compression, headers = {} } = writing;
  const tails: Buffer[] = [];
  const described = inputs.map(({ name, datatype, shape, values }, index) => {
    const how = form(index);
    if (how !== 'binary') return { name, datatype, shape, data: how === 'flat' ? values : nest(values, shape) };
    const raw = toRaw(datatype, values);
    tails.push(raw);
    return { name, datatype, shape, parameters: { binary_data_size: raw.length } };
  });
  const json = Buffer.from(JSON.stringify({ id, parameters, inputs: described, outputs }));
  const body = Buffer.concat([json, ...tails]);
  const binary = tails.length > 0 ? { [LENGTH_HEADER]: String(json.length) } : {};
  return {
    method: 'POST',
    path: `${path}${version === undefined ? '' : `/versions/${version}`}/infer`,
    headers: {
      'Content-Type': tails.length > 0 ? 'application/octet-stream' : 'application/json',
      ...binary,
      ...(compression !== undefined && { 'Content-Encoding': compression }),
      ...headers,
    },
    body: compression === undefined ? body : { gzip: gzipSync, deflate: deflateSync }[compression](body),
  };
}

/** The answer to an inference request, held to what the protocol says of its form. */
export function readInference(answer: Answer): InferenceAnswer {
  const { status, headers, body } = answer;
  assert.equal(status, 200, `status ${status}: ${body.toString().slice(0, 300)}`);
  const announced = headers[LENGTH_HEADER.toLowerCase()];
  const length = announced === undefined ? body.length : Number(announced);
  assert.ok(Number.isInteger(length) && length <= body.length, `${LENGTH_HEADER} is ${String(announced)}`);
  const json = JSON.parse(body.toString('utf8', 0, length)) as InferenceAnswer['json'] & { outputs: unknown };
  assert.equal(typeof json.model_name, 'string', 'model_name is a string');
  assert.ok(json.model_version === undefined || typeof json.model_version === 'string', 'model_version is a string');
  assert.ok(Array.isArray(json.outputs), 'outputs is an array');
  const outputs = new Map<string, Received>();
  let place = length;
  for (const output of json.outputs as Record<string, unknown>[]) {
    const { received, end } = readOutput(output, body, place);
    assert.ok(!outputs.has(output['name'] as string), 'an output comes once');
    outputs.set(output['name'] as string, received);
    place = end;
  }
  assert.equal(place, body.length, 'nothing follows the last binary tensor');
  const anyBinary = [...outputs.values()].some(({ binary }) => binary);
  assert.equal(
    announced !== undefined,
    anyBinary,
    `${LENGTH_HEADER} stands there exactly where there is a binary tensor`,
  );
  return { json, outputs };
}

function readOutput(output: Record<string, unknown>, body: Buffer, place: number): { received: Received; end: number } {
  const { name, datatype, shape, data, parameters = {} } = output;
  assert.equal(typeof name, 'string', 'an output has a name');
  assert.ok(typeof datatype === 'string' && PROTOCOL_DATATYPES.includes(datatype), `datatype ${String(datatype)}`);
  assert.ok(
    Array.isArray(shape) && shape.every((size) => Number.isInteger(size) && size >= 0),
    'shape is whole numbers',
  );
  const sizes = shape as number[];
  const size = (parameters as Record<string, unknown>)['binary_data_size'];
  const binary = size !== undefined;
  assert.notEqual(binary, data !== undefined, 'an output has either data or binary_data_size');
  const end = binary ? place + Number(size) : place;
  assert.ok(end <= body.length, 'the binary tensor is there');
  const values = binary ? fromRaw(datatype, body.subarray(place, end)) : ([data].flat(Infinity) as Values);
  const count = sizes.reduce((product, each) => product * each, 1);
  assert.equal(values.length, count, `as many elements as shape [${sizes.join(', ')}] says`);
  return { received: { datatype, shape: sizes, values, binary }, end };
}

/** The same tensors, whatever carried them. */
export function assertSame(
  actual: InferenceAnswer,
  expected: InferenceAnswer,
  names = [...expected.outputs.keys()],
): void {
  assert.deepEqual([...actual.outputs.keys()].sort(), [...names].sort(), 'the outputs that were asked for');
  for (const name of names) {
    const [one, other] = [actual.outputs.get(name), expected.outputs.get(name)];
    assert.ok(one !== undefined && other !== undefined);
    assert.deepEqual([one.datatype, one.shape], [other.datatype, other.shape], name);
    one.values.forEach((value, index) => {
      const wanted = other.values[index];
      const close =
        typeof value === 'number' && typeof wanted === 'number'
          ? Math.abs(value - wanted) <= TOLERANCE * Math.max(1, Math.abs(value), Math.abs(wanted))
          : value === wanted;
      assert.ok(close, `${name}[${index}] is ${String(value)}; as plain JSON it is ${String(wanted)}`);
    });
  }
}
