import assert from 'node:assert/strict';
import { type ConformanceCase, NotApplicable } from '../conformance-case.ts';
import { pipeline } from '../connection.ts';
import { assertSame, inferenceRequest, LENGTH_HEADER, readInference } from '../inference.ts';

const PARAMETERS = 'Inference Request JSON Object';
const BINARY = 'Extension: Binary Tensor Data';

export const INFERENCE: ConformanceCase[] = [
  {
    name: 'names the model and gives the id back',
    section: 'Inference Response JSON Object',
    async run({ connection, path, model, samples }) {
      const id = 'a/b "ü" 1';
      const { json } = readInference(await connection.send(inferenceRequest(path, { inputs: samples(), id })));
      assert.equal(json.model_name, model.name);
      assert.equal(json.id, id);
    },
  },
  {
    name: 'gives no id where none was given',
    section: 'Inference Response JSON Object',
    async run({ reference }) {
      assert.ok(!('id' in (await reference()).json));
    },
  },
  {
    name: 'says which version answered, as a string',
    section: 'Inference Response JSON Object',
    async run({ connection, path, version, samples }) {
      if (version === undefined) throw new NotApplicable('the model has no versions');
      const { json } = readInference(await connection.send(inferenceRequest(path, { inputs: samples(), version })));
      assert.equal(json.model_version, version);
    },
  },
  {
    name: 'gives what its metadata promises',
    section: 'Model Metadata Response JSON Object',
    async run({ model, reference }) {
      const { outputs } = await reference();
      assert.deepEqual([...outputs.keys()].sort(), model.outputs.map(({ name }) => name).sort());
      for (const { name, datatype, shape } of model.outputs) {
        const output = outputs.get(name);
        assert.equal(output?.datatype, datatype, name);
        assert.equal(output.shape.length, shape.length, name);
        shape.forEach((size, index) => assert.ok(size === -1 || size === output.shape[index], name));
      }
    },
  },
  {
    name: 'gives one output where one is asked for',
    section: 'Request Output',
    async run({ connection, path, model, samples, reference }) {
      for (const { name } of model.outputs) {
        const sent = inferenceRequest(path, { inputs: samples(), outputs: [{ name }] });
        assertSame(readInference(await connection.send(sent)), await reference(), [name]);
      }
    },
  },
  {
    name: 'passes over parameters that it does not know',
    section: PARAMETERS,
    async run({ connection, path, model, samples, reference }) {
      const outputs = model.outputs.map(({ name }) => ({ name, parameters: { unknown_to_all: 'x' } }));
      const parameters = { unknown_to_all: 1, another: true };
      const sent = inferenceRequest(path, { inputs: samples(), outputs, parameters });
      assertSame(readInference(await connection.send(sent)), await reference());
    },
  },
  {
    name: 'takes a request that declares its charset',
    section: PARAMETERS,
    async run({ connection, path, samples, reference }) {
      const headers = { 'Content-Type': 'application/json; charset=utf-8' };
      assertSame(
        readInference(await connection.send(inferenceRequest(path, { inputs: samples(), headers }))),
        await reference(),
      );
    },
  },
  {
    name: "gives an output's own binary_data more weight than binary_data_output",
    section: BINARY,
    extension: 'binary_tensor_data',
    async run({ connection, path, model, samples }) {
      const parameters = { binary_data_output: true };
      const outputs = model.outputs.map(({ name }, index) =>
        index === 0 ? { name, parameters: { binary_data: false } } : { name },
      );
      const sent = inferenceRequest(path, { inputs: samples(), outputs, parameters });
      const answer = readInference(await connection.send(sent));
      model.outputs.forEach(({ name }, index) => assert.equal(answer.outputs.get(name)?.binary, index > 0, name));
    },
  },
  {
    name: 'answers JSON without the length header where nothing binary is asked for',
    section: BINARY,
    extension: 'binary_tensor_data',
    async run({ connection, path, samples }) {
      const { headers, status } = await connection.send(
        inferenceRequest(path, { inputs: samples(), form: () => 'binary' }),
      );
      assert.equal(status, 200);
      assert.equal(headers[LENGTH_HEADER.toLowerCase()], undefined);
      assert.match(headers['content-type'] ?? '', /^application\/json/);
    },
  },
  {
    name: 'keeps a connection',
    section: 'HTTP/REST',
    async run({ connection, path, samples }) {
      const sent = inferenceRequest(path, { inputs: samples() });
      const first = await connection.send(sent);
      assert.equal((await connection.send(sent)).localPort, first.localPort);
    },
  },
  {
    name: 'answers requests that come at once on one connection, in their order, an error between them',
    section: 'HTTP/REST (RFC 9112, section 9.3.2)',
    async run({ url, path, samples }) {
      const requests = ['first', 'second', 'third'].map((id, index) => {
        const { body = '', path: target } = inferenceRequest(path, { inputs: samples(), id });
        const text = index === 1 ? `{"id":"${id}"}` : body.toString();
        return `POST ${target} HTTP/1.1\r\nHost: ${new URL(url).host}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
      });
      const answers = await pipeline(url, requests, (text) => text.includes('"third"') && text.endsWith('}'));
      assert.deepEqual(
        [...answers.matchAll(/HTTP\/1\.1 (\d)/g)].map(([, hundred]) => hundred),
        ['2', '4', '2'],
        answers.slice(0, 300),
      );
      assert.ok(answers.indexOf('"first"') < answers.indexOf('"error"'));
      assert.ok(answers.indexOf('"error"') < answers.indexOf('"third"'));
    },
  },
];
