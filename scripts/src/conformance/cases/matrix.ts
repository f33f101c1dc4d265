import type { ConformanceCase } from '../conformance-case.ts';
import { NotApplicable } from '../conformance-case.ts';
import { assertSame, inferenceRequest, LENGTH_HEADER, readInference, type Writing } from '../inference.ts';
import { toRaw } from '../datatypes.ts';
import type { Connection, Sent } from '../connection.ts';
import type { Subject } from '../subject.ts';
import { gzipSync, deflateSync } from 'node:zlib';
import assert from 'node:assert/strict';

const BINARY = 'binary_tensor_data';
const COMPRESSIONS = ['gzip', 'deflate', undefined] as const;
type Compression = (typeof COMPRESSIONS)[number];

/** How the tensors travel; of each form, which outputs come back in binary. */
const FORMS = {
  nested: { form: () => 'nested' as const, extension: undefined, outBinary: () => false },
  flat: { form: () => 'flat' as const, extension: undefined, outBinary: () => false },
  binary: { form: () => 'binary' as const, extension: BINARY, outBinary: () => true },
  // Every other one in binary, beginning with the first input and the second output.
  mixed: {
    form: (index: number) => (index % 2 === 0 ? ('binary' as const) : ('nested' as const)),
    extension: BINARY,
    outBinary: (index: number) => index % 2 === 1,
  },
};

interface Cell {
  form: keyof typeof FORMS;
  listed: boolean;
  compression: Compression;
  versioned: boolean;
}

/** Every combination gives the numbers that plain JSON gives, in each datatype that the model takes. */
export const MATRIX: ConformanceCase[] = [
  ...(Object.keys(FORMS) as Cell['form'][]).flatMap((form) =>
    [true, false].flatMap((listed) =>
      COMPRESSIONS.flatMap((compression) =>
        [true, false].map((versioned) => cellCase({ form, listed, compression, versioned })),
      ),
    ),
  ),
  ...COMPRESSIONS.flatMap((compression) => [true, false].map((versioned) => rawCase(compression, versioned))),
];

function cellCase(cell: Cell): ConformanceCase {
  const { form, listed, compression, versioned } = cell;
  const { extension } = FORMS[form];
  return {
    name: `answers ${form} tensors${describe(listed, compression, versioned)}`,
    section: extension === undefined ? 'Inference Request JSON Object' : 'Extension: Binary Tensor Data',
    ...(extension !== undefined && { extension }),
    async run(subject) {
      const datatypes = subject.datatypes.length > 0 ? subject.datatypes : [undefined];
      for (const datatype of datatypes) {
        const sent = inferenceRequest(subject.path, writing(subject, cell, datatype));
        const answer = readInference(await subject.connection.send(accepting(sent, compression)));
        assertSame(answer, await subject.reference(datatype));
        assertForms(subject, cell, answer.outputs);
      }
    },
  };
}

function writing(subject: Subject, { form, listed, compression, versioned }: Cell, datatype?: string): Writing {
  const { form: written, outBinary } = FORMS[form];
  const outputs = subject.model.outputs.map(({ name }, index) => ({
    name,
    parameters: { binary_data: outBinary(index) },
  }));
  const plain = FORMS[form].extension === undefined;
  return {
    inputs: subject.samples(datatype),
    form: written,
    ...(listed && { outputs: plain ? outputs.map(({ name }) => ({ name })) : outputs }),
    ...(!listed && form === 'binary' && { parameters: { binary_data_output: true } }),
    ...(compression !== undefined && { compression }),
    ...(versioned && { version: versionOf(subject) }),
  };
}

function assertForms(
  { model }: Subject,
  { form, listed }: Cell,
  outputs: ReadonlyMap<string, { binary: boolean }>,
): void {
  model.outputs.forEach(({ name }, index) => {
    const expected = listed ? FORMS[form].outBinary(index) : form === 'binary';
    assert.equal(outputs.get(name)?.binary, expected, `${name} in binary`);
  });
}

/** Section "Raw Binary Request": the body is the tensor. */
function rawCase(compression: Compression, versioned: boolean): ConformanceCase {
  return {
    name: `answers a raw request${describe(false, compression, versioned)}`,
    section: 'Extension: Binary Tensor Data, Raw Binary Request',
    extension: BINARY,
    async run(subject) {
      const [only, ...others] = subject.samples();
      const variable = subject.model.inputs[0]?.shape.slice(1).filter((size) => size === -1).length ?? 0;
      if (only === undefined || others.length > 0 || variable > 1) throw new NotApplicable('the model has no raw form');
      const raw = toRaw(only.datatype, only.values);
      const version = versioned ? `/versions/${versionOf(subject)}` : '';
      const sent: Sent = {
        method: 'POST',
        path: `${subject.path}${version}/infer`,
        headers: {
          'Content-Type': 'application/octet-stream',
          [LENGTH_HEADER]: '0',
          ...(compression !== undefined && { 'Content-Encoding': compression }),
        },
        body: compression === undefined ? raw : { gzip: gzipSync, deflate: deflateSync }[compression](raw),
      };
      await assertRaw(subject.connection, accepting(sent, compression), subject);
    },
  };
}

async function assertRaw(connection: Connection, sent: Sent, subject: Subject): Promise<void> {
  const answer = readInference(await connection.send(sent));
  assertSame(answer, await subject.reference());
  assert.ok(
    [...answer.outputs.values()].every(({ binary }) => binary),
    'all outputs in binary',
  );
}

function accepting(sent: Sent, compression: Compression): Sent {
  return compression === undefined ? sent : { ...sent, headers: { ...sent.headers, 'Accept-Encoding': compression } };
}

function describe(listed: boolean, compression: Compression, versioned: boolean): string {
  const outputs = listed ? ', outputs listed' : '';
  return `${outputs}${compression === undefined ? '' : `, ${compression}`}${versioned ? ', of a version' : ''}`;
}

function versionOf({ version }: Subject): string {
  if (version !== undefined) return version;
  throw new NotApplicable('the model has no versions');
}
