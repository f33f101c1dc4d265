import type { ServerResponse } from 'node:http';

/**
 * Answers 200 with JSON. What Express's `json` does and an answer of ours does not need (settings of the application,
 * charsets, freshness, a Buffer of its own) takes as long as all the rest of a small request.
 */
export function answerJson(response: ServerResponse, value: unknown): void {
  const body = JSON.stringify(value);
  response.setHeader('Content-Type', 'application/json; charset=utf-8');
  response.setHeader('Content-Length', Buffer.byteLength(body));
  response.end(body); // a string goes out in one write with the headers
}
