import type { IncomingMessage, ServerResponse } from 'node:http';

/** How long a client that is still sending has to read the answer before its connection ends. */
const GRACE_MS = 1_000;

/** Whether a part of the request's body has not arrived yet. */
export function isStillSending(request: IncomingMessage): boolean {
  const hasBody =
    request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0;
  return hasBody && !request.complete;
}

/**
 * Answers a request before its body has arrived, and ends the connection once the client has sent the rest or the grace
 * is over. In between its bytes are read and dropped: a connection that is closed over unread bytes is reset, and a
 * reset can take the answer away from the client. `end` alone would do just that, so it waits.
 */
export function answerAndHangUp(request: IncomingMessage, response: ServerResponse, body: string): void {
  response.setHeader('Connection', 'close');
  response.setHeader('Content-Length', Buffer.byteLength(body)); // the answer is whole before the response has ended
  response.write(body);
  const limit = setTimeout(() => response.end(), GRACE_MS);
  request.once('close', () => {
    clearTimeout(limit);
    response.end();
  });
  request.resume();
}
