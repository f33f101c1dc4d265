import type { IncomingMessage, ServerResponse } from 'node:http';

/** How long a client that is still sending has to read the answer before its connection ends. */
const GRACE_MS = 1_000;

/** A body of announced length up to here is read to its end for the sake of its connection; Node drops what nobody took. */
const DROPPED_BYTES = 64 * 1024;

/** Whether more of the request's body has not arrived yet than is worth waiting for. */
export function isStillSending(request: IncomingMessage): boolean {
  const { 'transfer-encoding': coding, 'content-length': length } = request.headers;
  return (coding !== undefined || Number(length ?? 0) > DROPPED_BYTES) && !request.complete;
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
