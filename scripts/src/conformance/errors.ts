import assert from 'node:assert/strict';
import { type Answer, Connection, type Sent } from './connection.ts';
import type { Subject } from './subject.ts';

/** What a refusal may be, beside an error. */
export interface Refusal {
  /** What we recommend; the protocol only says that it is no 200. */
  status: number;
  /** The server may end the connection, because it does not want to read the rest. */
  mayClose?: boolean;
}

/** Sends what is wrong, and holds the answer to the protocol's form of an error; the connection takes another request. */
export async function assertRefused(subject: Subject, sent: Sent, refusal: Refusal): Promise<Answer> {
  const connection = new Connection(subject.url);
  try {
    const answer = await connection.send(sent);
    assertError(answer);
    if (subject.strict) assert.equal(answer.status, refusal.status, answer.body.toString().slice(0, 300));
    const after = await connection.send({ method: 'GET', path: '/v2/health/live' });
    assert.equal(after.status, 200, 'the server is live after it');
    if (answer.headers.connection !== 'close') assert.equal(after.localPort, answer.localPort, 'the connection lives');
    else assert.ok(!subject.strict || refusal.mayClose === true, 'the connection is kept');
    return answer;
  } finally {
    connection.close();
  }
}

/** Section "Inference Response JSON Error Object": never empty, never anything but JSON. */
export function assertError({ status, headers, body }: Answer): void {
  const text = body.toString();
  assert.ok(status >= 400 && status < 500, `refused, and as the client's fault; came ${status}: ${text.slice(0, 300)}`);
  assert.match(headers['content-type'] ?? '', /^application\/json\b/, 'Content-Type');
  assert.notEqual(text, '', 'the body of an error is not empty');
  const { error } = JSON.parse(text) as { error?: unknown };
  assert.ok(typeof error === 'string' && error.length > 0, `"error" is a text; came ${text.slice(0, 300)}`);
}
