import type { ConformanceCase } from '../conformance-case.ts';
import type { Sent } from '../connection.ts';
import { assertRefused } from '../errors.ts';
import { inferenceRequest, LENGTH_HEADER, type Sample } from '../inference.ts';
import { toRaw } from '../datatypes.ts';
import type { Subject } from '../subject.ts';

interface Refused {
  title: string;
  section: string;
  extension?: string;
  /** What we recommend. */
  status?: number;
  sent: (subject: Subject) => Sent;
}

const REQUEST = 'Inference Request JSON Object';
const INPUT = 'Request Input';
const BINARY = { section: 'Extension: Binary Tensor Data', extension: 'binary_tensor_data' };

const post = (path: string, body: string | Buffer, headers: Record<string, string> = {}): Sent => ({
  method: 'POST',
  path: `${path}/infer`,
  headers: { 'Content-Type': 'application/json', ...headers },
  body,
});

/** A good request as JSON with one thing changed. */
const changed =
  (change: (request: { inputs: Record<string, unknown>[] } & Record<string, unknown>) => unknown) =>
  (subject: Subject) => {
    const { body = '' } = inferenceRequest(subject.path, { inputs: subject.samples(), form: () => 'flat' });
    const request = JSON.parse(body.toString()) as { inputs: Record<string, unknown>[] };
    return post(subject.path, JSON.stringify(change(request) ?? request));
  };

/** The same with the first input changed. */
const input = (fields: (first: Sample) => Record<string, unknown>) => (subject: Subject) =>
  changed(({ inputs: [first = {}] }) => {
    const [sample] = subject.samples();
    if (sample !== undefined) Object.assign(first, fields(sample));
  })(subject);

/** A good binary request with its JSON, its bytes or its length changed. */
const binary =
  (
    change: (parts: {
      json: string;
      tail: Buffer;
      length: string;
    }) => Partial<{ json: string; tail: Buffer; length: string }>,
  ) =>
  (subject: Subject) => {
    const inputs = subject
      .samples()
      .map(({ name, datatype, shape, values }) => ({ name, datatype, shape, raw: toRaw(datatype, values) }));
    const json = JSON.stringify({
      inputs: inputs.map(({ raw, ...rest }) => ({ ...rest, parameters: { binary_data_size: raw.length } })),
    });
    const parts = { json, tail: Buffer.concat(inputs.map(({ raw }) => raw)), length: String(Buffer.byteLength(json)) };
    const { json: text, tail, length } = { ...parts, ...change(parts) };
    const headers = { 'Content-Type': 'application/octet-stream', [LENGTH_HEADER]: length };
    return post(subject.path, Buffer.concat([Buffer.from(text), tail]), headers);
  };

const REFUSED: Refused[] = [
  {
    title: 'an unknown path',
    section: 'HTTP/REST',
    status: 404,
    sent: () => ({ method: 'GET', path: '/v2/no/such/path' }),
  },
  {
    title: 'another method',
    section: 'HTTP/REST',
    status: 405,
    sent: ({ path }) => ({ method: 'GET', path: `${path}/infer` }),
  },
  {
    title: 'another method with a body',
    section: 'HTTP/REST',
    status: 405,
    sent: () => ({ method: 'POST', path: '/v2', body: '{}' }),
  },
  {
    title: 'an unknown model',
    section: 'Model Metadata',
    status: 404,
    sent: () => ({ method: 'GET', path: '/v2/models/no-such-model' }),
  },
  {
    title: 'an unknown version',
    section: 'Model Metadata',
    status: 404,
    sent: ({ path }) => ({ method: 'GET', path: `${path}/versions/987654321` }),
  },
  {
    title: 'a version that is no number',
    section: 'Model Metadata',
    status: 404,
    sent: ({ path }) => ({ method: 'GET', path: `${path}/versions/newest` }),
  },
  {
    title: 'an inference with an unknown model',
    section: 'Inference',
    status: 404,
    sent: (subject) => ({ ...changed(() => undefined)(subject), path: '/v2/models/no-such-model/infer' }),
  },
  {
    title: 'an inference with an unknown version',
    section: 'Inference',
    status: 404,
    sent: (subject) => ({ ...changed(() => undefined)(subject), path: `${subject.path}/versions/987654321/infer` }),
  },
  { title: 'an empty body', section: REQUEST, sent: ({ path }) => post(path, '') },
  { title: 'what is no JSON', section: REQUEST, sent: ({ path }) => post(path, '{"inputs": [') },
  { title: 'JSON that is no object', section: REQUEST, sent: ({ path }) => post(path, '[]') },
  { title: 'null', section: REQUEST, sent: ({ path }) => post(path, 'null') },
  {
    title: 'what is no UTF-8',
    section: REQUEST,
    sent: ({ path }) => post(path, Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d])),
  },
  {
    title: 'JSON that is nested 10,000 deep',
    section: REQUEST,
    sent: ({ path }) => post(path, '['.repeat(10_000) + ']'.repeat(10_000)),
  },
  { title: 'no inputs', section: REQUEST, sent: changed(() => ({})) },
  { title: 'an empty list of inputs', section: REQUEST, sent: changed(() => ({ inputs: [] })) },
  { title: 'inputs that are no list', section: REQUEST, sent: changed(() => ({ inputs: {} })) },
  { title: 'an input that is no object', section: INPUT, sent: changed(() => ({ inputs: [1] })) },
  { title: 'an id that is no string', section: REQUEST, sent: changed((request) => ({ ...request, id: 5 })) },
  { title: 'an unknown input', section: INPUT, sent: input(() => ({ name: 'no_such_input' })) },
  { title: 'an input without a name', section: INPUT, sent: input(() => ({ name: undefined })) },
  { title: 'an input twice', section: INPUT, sent: changed(({ inputs }) => ({ inputs: [...inputs, inputs[0]] })) },
  { title: 'an input without a shape', section: INPUT, sent: input(() => ({ shape: undefined })) },
  { title: 'a shape that is a string', section: INPUT, sent: input(({ shape }) => ({ shape: shape.join(',') })) },
  { title: 'sizes that are strings', section: INPUT, sent: input(({ shape }) => ({ shape: shape.map(String) })) },
  {
    title: 'a negative size',
    section: INPUT,
    sent: input(({ shape }) => ({ shape: shape.map((size, index) => (index === 0 ? -1 : size)) })),
  },
  {
    title: 'a size that is a fraction',
    section: INPUT,
    sent: input(({ shape }) => ({ shape: shape.map((size, index) => (index === 0 ? 1.5 : size)) })),
  },
  { title: 'another rank', section: INPUT, sent: input(({ shape }) => ({ shape: [...shape, 1, 1] })) },
  {
    title: 'fewer elements than the shape says',
    section: 'Tensor Data',
    sent: input(({ values }) => ({ data: values.slice(1) })),
  },
  {
    title: 'more elements than the shape says',
    section: 'Tensor Data',
    sent: input(({ values }) => ({ data: [...values, values[0]] })),
  },
  { title: 'no data', section: 'Tensor Data', sent: input(() => ({ data: undefined })) },
  { title: 'data that are no list', section: 'Tensor Data', sent: input(() => ({ data: 'data' })) },
  {
    title: 'an element of another type',
    section: 'Tensor Data',
    sent: input(({ values }) => ({ data: values.map((value, index) => (index === 0 ? { a: 1 } : value)) })),
  },
  {
    title: 'a datatype that does not exist',
    section: 'Tensor Data Types',
    sent: input(() => ({ datatype: 'NO_SUCH_TYPE' })),
  },
  { title: 'no datatype', section: 'Tensor Data Types', sent: input(() => ({ datatype: undefined })) },
  {
    title: 'an unknown output',
    section: 'Request Output',
    sent: changed((request) => ({ ...request, outputs: [{ name: 'no_such_output' }] })),
  },
  {
    title: 'outputs that are no list',
    section: 'Request Output',
    sent: changed((request) => ({ ...request, outputs: 'all' })),
  },
  {
    title: 'parameters that are no object',
    section: 'Parameters',
    sent: changed((request) => ({ ...request, parameters: 'x' })),
  },
  {
    title: 'an encoding that nobody has',
    section: 'HTTP/REST',
    status: 415,
    sent: (subject) => ({
      ...changed(() => undefined)(subject),
      headers: { 'Content-Type': 'application/json', 'Content-Encoding': 'no-such-encoding' },
    }),
  },
  {
    title: 'a body that is not compressed as it says',
    section: 'HTTP/REST',
    sent: (subject) => ({
      ...changed(() => undefined)(subject),
      headers: { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' },
    }),
  },
  {
    ...BINARY,
    title: 'fewer bytes than binary_data_size says',
    sent: binary(({ tail }) => ({ tail: tail.subarray(1) })),
  },
  {
    ...BINARY,
    title: 'bytes behind the last tensor',
    sent: binary(({ tail }) => ({ tail: Buffer.concat([tail, Buffer.alloc(3)]) })),
  },
  {
    ...BINARY,
    title: 'a binary_data_size other than the shape says',
    sent: binary(({ json, tail }) => {
      const text = json.replace(/"binary_data_size":(\d+)/, (_, size) => `"binary_data_size":${Number(size) + 1}`);
      return { json: text, length: String(text.length), tail: Buffer.concat([tail, Buffer.alloc(1)]) };
    }),
  },
  {
    ...BINARY,
    title: 'a negative binary_data_size',
    sent: binary(({ json }) => {
      const text = json.replace(/"binary_data_size":\d+/, '"binary_data_size":-1');
      return { json: text, length: String(text.length) };
    }),
  },
  {
    ...BINARY,
    title: 'data and binary_data_size together',
    sent: binary(({ json }) => {
      const text = json.replace('"parameters":', '"data":[0],"parameters":');
      return { json: text, length: String(text.length) };
    }),
  },
  { ...BINARY, title: 'a length header that is no number', sent: binary(() => ({ length: 'ten' })) },
  { ...BINARY, title: 'a negative length header', sent: binary(() => ({ length: '-1' })) },
  {
    ...BINARY,
    title: 'a length header longer than the body',
    sent: binary(({ length }) => ({ length: `${length}000` })),
  },
  {
    ...BINARY,
    title: 'a length header that cuts the JSON',
    sent: binary(({ length }) => ({ length: String(Number(length) - 1) })),
  },
  {
    ...BINARY,
    title: 'an empty raw request',
    sent: ({ path }) => post(path, '', { 'Content-Type': 'application/octet-stream', [LENGTH_HEADER]: '0' }),
  },
  {
    section: 'Extension: Classification',
    extension: 'classification',
    title: 'a classification into no classes',
    sent: (subject) =>
      changed((request) => ({
        ...request,
        outputs: [{ name: subject.model.outputs[0]?.name, parameters: { classification: -1 } }],
      }))(subject),
  },
  {
    section: 'Extension: Model Repository',
    extension: 'model_repository',
    title: 'an index of what is no JSON',
    sent: () => ({ method: 'POST', path: '/v2/repository/index', body: '{' }),
  },
  {
    section: 'Extension: Statistics',
    extension: 'statistics',
    title: 'statistics of an unknown model',
    status: 404,
    sent: () => ({ method: 'GET', path: '/v2/models/no-such-model/stats' }),
  },
];

/** Each is answered with `{"error"}`, as the client's fault, and the connection takes the next request. */
export const REFUSALS: ConformanceCase[] = REFUSED.map(({ title, section, extension, status = 400, sent }) => ({
  name: `refuses ${title}`,
  section,
  ...(extension !== undefined && { extension }),
  run: async (subject) => void (await assertRefused(subject, sent(subject), { status })),
}));
