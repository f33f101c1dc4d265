import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Log } from './log.ts';
import { answerAndHangUp, isStillSending } from './hang-up.ts';
import { PROBLEMS } from './problems.ts';

/** How long the connection stays for its client to read the answer: closed over unread bytes it would be reset. */
const GRACE_MS = 1_000;

const CODE = 'malformed-request';

interface Fault {
  status: number;
  reasonPhrase: string;
  detail: string;
}

/** What Node's parser reports, by the error's code. */
const FAULTS: Record<string, Fault> = {
  HPE_HEADER_OVERFLOW: {
    status: 431,
    reasonPhrase: 'Request Header Fields Too Large',
    detail: 'The headers are larger than 16 KiB.',
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: 408,
    reasonPhrase: 'Request Timeout',
    detail: 'The request did not arrive in time.',
  },
};
const OTHER_FAULT: Fault = {
  status: PROBLEMS[CODE].status,
  reasonPhrase: 'Bad Request',
  detail: 'What came is no HTTP/1.1 request.',
};

/** Answers what never became a request, straight on its connection, and ends that. The parser's words go to `log`. */
export function refuseMalformedRequest(error: NodeJS.ErrnoException, socket: Socket, log: Log | undefined): void {
  const { status, reasonPhrase, detail } = FAULTS[error.code ?? ''] ?? OTHER_FAULT;
  log?.info({ err: error, code: CODE, status }, 'Refused what is no request');
  const body = problem(status, detail);
  const head = [
    `HTTP/1.1 ${status} ${reasonPhrase}`,
    'Connection: close',
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  const limit = setTimeout(() => socket.destroy(), GRACE_MS);
  socket.once('close', () => clearTimeout(limit));
}

/** HTTP/1.1 requires a `Host` (RFC 9112, section 3.2). Node's own check of it answers without a word. */
export function lacksHost({ httpVersion, headers }: IncomingMessage): boolean {
  return httpVersion === '1.1' && headers.host === undefined;
}

export function refuseWithoutHost(request: IncomingMessage, response: ServerResponse, log: Log | undefined): void {
  const { status } = OTHER_FAULT;
  log?.info({ code: CODE, status }, 'Refused a request without Host');
  response.statusCode = status;
  response.setHeader('Content-Type', 'application/problem+json');
  const body = problem(status, 'The request has no Host header.');
  if (isStillSending(request)) answerAndHangUp(request, response, body);
  else response.setHeader('Connection', 'close').end(body);
}

function problem(status: number, detail: string): string {
  return JSON.stringify({ type: `/problems/${CODE}`, ...PROBLEMS[CODE], status, detail });
}
