import assert from 'node:assert/strict';
import { NotApplicable } from './conformance-case.ts';
import { Connection } from './connection.ts';
import { isKnown } from './datatypes.ts';
import { type InferenceAnswer, inferenceRequest, readInference, type Sample, sampleOf } from './inference.ts';

export interface TensorMetadata {
  name: string;
  datatype: string;
  /** -1 is a size that the request chooses. */
  shape: number[];
}

export interface ModelMetadata {
  name: string;
  versions?: string[];
  platform: string;
  inputs: TensorMetadata[];
  outputs: TensorMetadata[];
  properties?: Record<string, string>;
}

export interface ServerMetadata {
  name: string;
  version: string;
  extensions: string[];
}

/** The server that is looked at, and one of its models. */
export interface Subject {
  url: string;
  connection: Connection;
  server: ServerMetadata;
  model: ModelMetadata;
  /** `/v2/models/NAME`. */
  path: string;
  /** A version of the model that is ready; undefined where the server tells none. */
  version: string | undefined;
  /** Whether statuses and connections are held to what we recommend, too, where the protocol leaves them open. */
  strict: boolean;
  /** The datatypes that the model's only input takes; of several inputs their own. */
  datatypes: string[];
  /** Every input with small numbers in it, in `datatype` where the model takes more than one. */
  samples: (datatype?: string) => Sample[];
  /** What the model answers to `samples(datatype)` as plain JSON. */
  reference: (datatype?: string) => Promise<InferenceAnswer>;
}

/** Asks a server what it is, and which model to try: `model`, else the only one, or the first that it lists. */
export async function meet(url: string, model: string | undefined, strict: boolean): Promise<Subject> {
  const connection = new Connection(url);
  const get = async (path: string) => {
    const { status, body } = await connection.send({ method: 'GET', path });
    assert.equal(status, 200, `GET ${path} is answered ${status}: ${body.toString().slice(0, 200)}`);
    return JSON.parse(body.toString()) as unknown;
  };
  const server = (await get('/v2')) as ServerMetadata;
  const name = model ?? ((await get('/v2/models')) as { models: string[] }).models[0];
  assert.ok(name !== undefined, 'the server lists no model; name one');
  const path = `/v2/models/${encodeURIComponent(name)}`;
  const metadata = (await get(path)) as ModelMetadata;
  const references = new Map<string | undefined, Promise<InferenceAnswer>>();
  const subject: Subject = {
    url,
    connection,
    server,
    model: metadata,
    path,
    version: metadata.versions?.at(-1),
    strict,
    datatypes: datatypesOf(metadata),
    samples(datatype) {
      return metadata.inputs.map((input) => {
        const one = datatype !== undefined && metadata.inputs.length === 1 ? { ...input, datatype } : input;
        if (!isKnown(one.datatype)) throw new NotApplicable(`input "${one.name}" is ${one.datatype}`);
        return sampleOf(one);
      });
    },
    reference(datatype) {
      const known = references.get(datatype);
      if (known !== undefined) return known;
      const asked = ask(subject, datatype);
      references.set(datatype, asked);
      return asked;
    },
  };
  return subject;
}

async function ask(subject: Subject, datatype: string | undefined): Promise<InferenceAnswer> {
  const inputs = subject.samples(datatype);
  return readInference(await subject.connection.send(inferenceRequest(subject.path, { inputs })));
}

/** A server may say in `properties` that it converts; BYTES would have to be something in particular. */
function datatypesOf({ inputs, properties }: ModelMetadata): string[] {
  const [only, ...others] = inputs;
  if (only === undefined || others.length > 0) return [];
  const listed = (properties?.['input_datatypes'] ?? '').split(',').filter((datatype) => datatype !== 'BYTES');
  return [...new Set([only.datatype, ...listed])].filter(isKnown);
}
