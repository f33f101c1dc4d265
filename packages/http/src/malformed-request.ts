import type { Duplex } from 'node:stream';
import type { Log } from './log.ts';
import { PROBLEMS } from './problems.ts';

/** What Node's parser reports, by the error's code; anything else is a 400. */
const FAULTS: Record<string, { status: number; detail: string }> = {
  HPE_HEADER_OVERFLOW: { status: 431, detail: 'The headers are larger than 16 KiB.' },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, detail: 'The request did not arrive in time.' },
};
const OTHER = { status: PROBLEMS['malformed-request'].status, detail: 'What came is no HTTP/1.1 request.' };

const REASON_PHRASES: Record<number, string> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
};

/** Answers what never became a request, straight on its connection, and ends that. The parser's words go to `log`. */
export function refuseMalformedRequest(error: NodeJS.ErrnoException, socket: Duplex, log: Log | undefined): void {
  const { status, detail } = FAULTS[error.code ?? ''] ?? OTHER;
  const code = 'malformed-request';
  log?.info({ err: error, code, status }, 'Refused what is no request');
  const body = JSON.stringify({ type: `/problems/${code}`, ...PROBLEMS[code], status, detail });
  const head = [
    `HTTP/1.1 ${status} ${REASON_PHRASES[status] ?? ''}`,
    'Connection: close',
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
