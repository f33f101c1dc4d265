import assert from 'node:assert/strict';
import type { ErrorCode } from '@atelier/domain';
import type { Test } from 'supertest';

/** The body of a 200. */
export async function bodyOf(answer: Test): Promise<unknown> {
  return (await answer.expect(200)).body;
}

export interface ProblemDetails {
  type: string;
  title: string;
  status: number;
  detail?: string;
  instance: string;
  errors?: { pointer?: string; parameter?: string; detail: string }[];
  /** The header. */
  retryAfter: string | undefined;
}

/** Checks that an answer is the problem `code`, as RFC 9457 has it, and returns its details. */
export async function problemOf(answer: Test, status: number, code: ErrorCode): Promise<ProblemDetails> {
  const response = await answer;
  const details = response.body as ProblemDetails;
  assert.equal(details.type, `/problems/${code}`, JSON.stringify(details));
  assert.equal(response.status, status);
  assert.equal(details.status, status);
  assert.match(response.headers['content-type'] ?? '', /^application\/problem\+json/);
  assert.equal(details.instance, response.headers['x-request-id']);
  assert.ok(details.title.length > 0);
  return { ...details, retryAfter: response.headers['retry-after'] };
}
