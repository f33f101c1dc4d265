import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ERROR_CODES, type ErrorCode } from '@atelier/domain';
import { PROBLEMS } from '@atelier/http';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** The text under each `## <code>` heading of docs/errors.md. */
function documentedCodes(): Map<string, string> {
  const [, ...sections] = readFileSync(join(root, 'docs/errors.md'), 'utf8').split(/^## /m);
  return new Map(sections.map((section) => [section.split('\n', 1).join(''), section.split('\n').slice(1).join('\n')]));
}

function testFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => /(\.test|-contract)\.ts$/.test(path) && !path.endsWith('error-codes.test.ts'))
    .map((path) => join(folder, path));
}

describe('error codes', () => {
  const documented = documentedCodes();

  test('are documented one by one, in the order of the code, and nothing else is', () => {
    assert.deepEqual([...documented.keys()], [...ERROR_CODES]);
    for (const [code, text] of documented) assert.ok(text.trim().length > 40, `${code} says what to do`);
  });

  test('are documented with the HTTP status that they are answered with', () => {
    for (const code of ERROR_CODES) {
      const problem = PROBLEMS[code];
      const status = /^\s*HTTP (\d{3})/.exec(documented.get(code) ?? '')?.[1];
      assert.equal(status, problem === 'internal' ? undefined : String(problem.status), code);
    }
  });

  test('are each provoked by a test', () => {
    const tests = testFiles(join(root, 'test')).map((file) => readFileSync(file, 'utf8'));
    const unprovoked = ERROR_CODES.filter((code) => !tests.some((text) => expects(text, code)));
    assert.deepEqual(unprovoked, []);
  });

  test('count as provoked only where a test expects them', () => {
    assert.ok(expects("rejects(load(), { code: 'not-ready' });", 'not-ready'));
    assert.ok(!expects("const codes = ['not-ready']; // 'not-ready'", 'not-ready'));
  });
});

/**
 * Whether the text of a test holds something against `code`: as the code of an error, as the first or last argument of
 * a call such as `problemOf`, or as the type of problem details.
 */
function expects(text: string, code: ErrorCode): boolean {
  return new RegExp(`code(:| ===) '${code}'|\\('${code}', |, '${code}'\\)|/problems/${code}\\b`).test(text);
}
