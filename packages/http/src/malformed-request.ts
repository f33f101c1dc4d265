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

const OTHER_FAULT: Fault = {
  status: PROBLEMS[CODE].status,
  reasonPhrase: 'Bad Request',
  detail: 'What came is no HTTP/1.1 request.',
};

/** What has to do with a refusal: how large headers may be, and where the parser's words for it go. */
export interface RefusalContext {
  maximumHeaderBytes: number;
  log: Log | undefined;
}

/** Answers what never became a request, straight on its connection, and ends that. */
export function refuseMalformedRequest(
  error: NodeJS.ErrnoException,
  socket: Socket,
  { maximumHeaderBytes, log }: RefusalContext,
): void {
  const { status, reasonPhrase, detail } = faultOf(error.code, maximumHeaderBytes);
  // Not the error: it carries the bytes that came, and with them a token.
  log?.info({ reason: `${error.code}: ${error.message}`, code: CODE, status }, 'Refused what is no request');
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

/** What Node's parser reports, by the error's code. */
function faultOf(code: string | undefined, maximumHeaderBytes: number): Fault {
  switch (code ?? '') {
    case 'HPE_HEADER_OVERFLOW': {
      const detail = `The headers are larger than ${maximumHeaderBytes / 1024} KiB.`;
      return { status: 431, reasonPhrase: 'Request Header Fields Too Large', detail };
    }
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return { status: 408, reasonPhrase: 'Request Timeout', detail: 'The request did not arrive in time.' };
    default:
      return OTHER_FAULT;
  }
}

/** What never became a request has no path that says which form its client reads: `error` is the Open Inference Protocol's. */
function problem(status: number, detail: string): string {
  return JSON.stringify({ type: `/problems/${CODE}`, ...PROBLEMS[CODE], status, detail, error: detail });
}
