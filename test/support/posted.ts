import assert from 'node:assert/strict';
import type { ErrorCode } from '@atelier/domain';

export interface Posted {
  status: number;
  /** Of a problem. */
  code: string | undefined;
  retryAfter: string | null;
}

interface PostOptions {
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

/** What `POST /predict` at `url` answers, over a socket, to JSON or to a file. */
export async function post(
  url: string,
  body: object | Buffer,
  { headers = {}, signal }: PostOptions = {},
): Promise<Posted> {
  const isFile = Buffer.isBuffer(body);
  const response = await fetch(`${url}/predict`, {
    method: 'POST',
    headers: { 'Content-Type': isFile ? 'image/png' : 'application/json', ...headers },
    body: isFile ? body : JSON.stringify(body),
    ...(signal === undefined ? {} : { signal }),
  });
  const { type } = (await response.json()) as { type?: string };
  return {
    status: response.status,
    code: type?.replace('/problems/', ''),
    retryAfter: response.headers.get('retry-after'),
  };
}

/** Sends a request and leaves as soon as `when` says so; fails if it was answered before. */
export async function postAndLeave(url: string, body: object | Buffer, when: () => Promise<void>): Promise<void> {
  const controller = new AbortController();
  const posted = post(url, body, { signal: controller.signal });
  posted.catch(() => undefined);
  await when();
  controller.abort();
  await assert.rejects(posted, { name: 'AbortError' });
}

/** Checks that all are the problem `code`. */
export function assertProblems(posted: readonly Posted[], status: number, code: ErrorCode): void {
  for (const one of posted) assert.deepEqual({ status: one.status, code: one.code }, { status, code });
}
