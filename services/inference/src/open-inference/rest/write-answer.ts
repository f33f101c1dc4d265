import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { deflate, gzip } from 'node:zlib';
import { DomainError } from '@atelier/domain';
import type { InferResult } from '../infer.ts';
import { type OutputTensor, rawBytes } from '../tensor.ts';
import { HEADER_LENGTH, type ReceivedRequest } from './read-request.ts';

/** Whether the output called `name` goes out in binary. */
export type IsBinary = (name: string) => boolean;

/**
 * The request's choice (extension "Binary Tensor Data"): an output's own `binary_data` before `binary_data_output`, which
 * is for all. An answer to a raw request is binary, unless the client accepts JSON by name: it has no other way to ask.
 */
export function binaryOutputs(
  { isRaw, parameters, outputs = [] }: ReceivedRequest,
  accept: string | undefined,
): IsBinary {
  if (isRaw) return acceptsOnlyJson(accept) ? () => false : () => true;
  const all = flagOf(parameters['binary_data_output'], 'parameters.binary_data_output') ?? false;
  if (outputs.length === 0) return () => all;
  const own = new Map<string, boolean>();
  for (const [index, output] of outputs.entries()) {
    const place = `outputs[${index}].parameters.binary_data`;
    own.set(output.name, flagOf(output.parameters['binary_data'], place) ?? all);
  }
  return (name) => own.get(name) ?? all;
}

/** Answers with a result: JSON, and behind it the tensors that go out in binary. */
export async function sendResult(
  request: IncomingMessage,
  response: ServerResponse,
  result: InferResult,
  isBinary: IsBinary,
): Promise<void> {
  const tails = new Map<string, Buffer>();
  for (const tensor of result.outputs) if (isBinary(tensor.name)) tails.set(tensor.name, rawBytes(tensor));
  const json = Buffer.from(jsonOf(result, tails));
  if (tails.size > 0) response.setHeader(HEADER_LENGTH, json.length);
  response.setHeader('Content-Type', tails.size > 0 ? 'application/octet-stream' : 'application/json');
  const body = tails.size > 0 ? Buffer.concat([json, ...tails.values()]) : json;
  const encoding = body.length < COMPRESSED_FROM_BYTES ? undefined : encodingFor(request.headers['accept-encoding']);
  if (encoding === undefined) {
    response.setHeader('Content-Length', body.length).end(body);
    return;
  }
  const compressed = await COMPRESSORS[encoding](body);
  response.setHeader('Content-Encoding', encoding).setHeader('Vary', 'Accept-Encoding');
  response.setHeader('Content-Length', compressed.length).end(compressed);
}

/** By hand: the numbers are most of it, and a typed array can join its own. */
function jsonOf({ modelName, modelVersion, id, outputs }: InferResult, tails: ReadonlyMap<string, Buffer>): string {
  const head = `{"model_name":${JSON.stringify(modelName)},"model_version":${JSON.stringify(modelVersion)}`;
  const tensors = outputs.map((tensor) => tensorJson(tensor, tails.get(tensor.name)));
  return `${head}${id === undefined ? '' : `,"id":${JSON.stringify(id)}`},"outputs":[${tensors.join(',')}]}`;
}

function tensorJson(tensor: OutputTensor, tail: Buffer | undefined): string {
  const { name, datatype, shape } = tensor;
  const head = `{"name":"${name}","datatype":"${datatype}","shape":[${shape.join(',')}]`;
  if (tail !== undefined) return `${head},"parameters":{"binary_data_size":${tail.length}}}`;
  return `${head},"data":${datatype === 'FP32' ? `[${tensor.data.join(',')}]` : JSON.stringify(tensor.data)}}`;
}

/** A shorter answer fits in one packet as it is, and browsers and most clients offer to decompress without need. */
const COMPRESSED_FROM_BYTES = 1400;

const asyncGzip = promisify(gzip);
const asyncDeflate = promisify(deflate);
/** The fastest level: the request thread waits for none, but another core works. */
const COMPRESSORS = {
  gzip: (body: Buffer) => asyncGzip(body, { level: 1 }),
  deflate: (body: Buffer) => asyncDeflate(body, { level: 1 }),
};
type Encoding = keyof typeof COMPRESSORS;

/** The first of ours that the client takes (RFC 9110, section 12.5.3); weights count only where they are 0. */
function encodingFor(accepted: string | undefined): Encoding | undefined {
  if (accepted === undefined) return undefined;
  const taken = new Map(
    accepted
      .toLowerCase()
      .split(',')
      .map((item) => {
        const [coding = '', ...weights] = item.split(';').map((part) => part.trim());
        return [coding, !weights.some((weight) => /^q=0(\.0*)?$/.test(weight))];
      }),
  );
  return (['gzip', 'deflate'] as const).find((encoding) => taken.get(encoding) ?? taken.get('*') ?? false);
}

function acceptsOnlyJson(accept = ''): boolean {
  return /\bapplication\/json\b/i.test(accept) && !/\bapplication\/octet-stream\b/i.test(accept);
}

function flagOf(value: unknown, place: string): boolean | undefined {
  if (value === undefined || typeof value === 'boolean') return value;
  throw new DomainError('invalid-request', `${place}: expected true or false.`);
}
