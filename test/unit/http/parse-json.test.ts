import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseJson, requireUtf8 } from '@atelier/http';
import fc from 'fast-check';

const parse = (text: string, maximumValues = 1000) => parseJson(Buffer.from(text), maximumValues);

describe('a JSON body', () => {
  test('is what JSON.parse makes of it', () => {
    fc.assert(fc.property(fc.json(), (text) => assert.deepEqual(parse(text, 1e6), JSON.parse(text))));
  });

  test('may have as many values as it may, and no more', () => {
    assert.equal((parse(`[${Array(10).fill(0).join()}]`, 10) as unknown[]).length, 10);
    assert.throws(() => parse(`[${Array(11).fill(0).join()}]`, 10), {
      code: 'payload-too-large',
      message: 'The JSON has more than 10 values.',
    });
  });

  test('is refused for its arrays, objects, names and strings before anything is built of it', () => {
    const many = 60_000;
    for (const text of [
      `[${Array(many).fill('[]').join()}]`,
      `[${Array(many).fill('{}').join()}]`,
      `[${Array(many).fill('""').join()}]`,
      `{${Array.from({ length: many }, (_, name) => `"${name}":0`).join()}}`,
      '['.repeat(many),
      '{"a":'.repeat(many),
    ]) {
      // None of the last two is JSON: they are refused before a parser sees that.
      assert.throws(() => parse(text, 1e6), { code: 'payload-too-large', message: /arrays, objects and strings/ });
    }
  });

  test('may have in its strings what would be counted outside of them', () => {
    const text = `${'[{,'.repeat(60_000)}\\"\\\\`;
    assert.deepEqual(parse(JSON.stringify({ text })), { text });
  });

  test('that is none is refused without a word of the parser or of the body', () => {
    for (const [text, message] of [
      ['{"secret": [1, 2', 'The body is not JSON: it breaks off.'],
      ['{"secret": 1, }', 'The body is not JSON: the fault is at character 14.'],
      ['secret', 'The body is not JSON.'],
    ] as const) {
      assert.throws(
        () => parse(text),
        (error: Error & { code: string }) => {
          assert.equal(error.code, 'malformed-json');
          assert.equal(error.cause, undefined);
          // Later versions of Node give a place where earlier ones give none.
          assert.ok(
            error.message === message || error.message.startsWith('The body is not JSON: the fault is at'),
            text,
          );
          return true;
        },
      );
    }
    assert.throws(() => parseJson(Buffer.from([0x22, 0xff, 0x22]), 10), {
      code: 'malformed-json',
      message: 'The body is not JSON: it is not UTF-8.',
    });
  });

  test('is UTF-8, and its type may say so', () => {
    for (const type of ['application/json', 'application/json; charset=utf-8', 'application/json;charset="UTF-8"']) {
      requireUtf8(type);
    }
    assert.throws(() => requireUtf8('application/json; charset=utf-16le'), { code: 'unsupported-media-type' });
  });
});
