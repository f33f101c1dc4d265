import { constants } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { messageOf } from '@atelier/domain';

export interface DownloadOptions {
  /** To the first byte of the answer; short, so that a machine without internet goes on soon. */
  readonly connectionTimeoutMs: number;
  /** Between two pieces of the body. */
  readonly stallTimeoutMs: number;
  /** A longer file is refused before it fills the disk. */
  readonly maximumBytes: number;
  /** `totalBytes` is null where the server does not say. */
  readonly onProgress: (receivedBytes: number, totalBytes: number | null) => void;
  readonly signal: AbortSignal;
}

const ATTEMPTS = 5;
const PAUSE_MS = 100;

/** The connection broke while the body came in; what has come is kept and the rest can be asked for. */
class BrokenTransfer extends Error {}

/**
 * Fetches `url` by way of the file `partPath` and resolves to its bytes. What an earlier download left there is kept
 * and only the rest asked for; so it is when the connection breaks, up to 5 times. Rejects where the server cannot be
 * reached, answers with a failure or breaks off a fifth time. The bytes are not verified, and `partPath`
 * stays unless it is empty.
 */
export async function download(url: string, partPath: string, options: DownloadOptions): Promise<Uint8Array> {
  const part = await open(partPath, constants.O_RDWR | constants.O_CREAT);
  try {
    for (let attempt = 1; ; attempt++) {
      try {
        return await fetchRest(url, part, options);
      } catch (error) {
        if (!(error instanceof BrokenTransfer) || attempt === ATTEMPTS) throw error;
        await pause(attempt * PAUSE_MS, undefined, { signal: options.signal });
      }
    }
  } finally {
    const { size } = await part.stat();
    await part.close();
    if (size === 0) await rm(partPath, { force: true }); // nothing to go on from
  }
}

/**
 * Bytes are written at their own position, so two processes that download the same file write the same bytes to the
 * same places.
 */
async function fetchRest(url: string, part: FileHandle, options: DownloadOptions): Promise<Uint8Array> {
  const { size: kept } = await part.stat();
  const timer = new SilenceTimer(options.signal);
  try {
    timer.restart(options.connectionTimeoutMs, 'no answer');
    const response = await request(url, kept, timer.signal);
    // Nothing lies behind what we have: it is the whole file, or another one. The digest will tell.
    if (response.status === 416) return await part.readFile();
    const end = await writeBody(response, part, startOfBody(url, response, kept), timer, options);
    await part.truncate(end);
    return await part.readFile();
  } finally {
    timer.end();
  }
}

async function request(url: string, kept: number, signal: AbortSignal): Promise<Response> {
  // Positions count the bytes of the file, so no compression on the way.
  const headers = { 'accept-encoding': 'identity', ...(kept > 0 && { range: `bytes=${kept}-` }) };
  try {
    return await fetch(url, { headers, signal });
  } catch (error) {
    // fetch says "fetch failed" and keeps the reason in its cause.
    const reason = error instanceof Error && error.cause !== undefined ? error.cause : error;
    throw new Error(`${url} cannot be reached: ${messageOf(reason)}.`, { cause: error });
  }
}

/** Where in the file the body begins: with 200 it is the whole file, whatever was asked for. */
function startOfBody(url: string, { status, headers }: Response, kept: number): number {
  if (status === 200) return 0;
  const range = headers.get('content-range');
  if (status === 206 && range?.startsWith(`bytes ${kept}-`)) return kept;
  const expected = kept === 0 ? 'HTTP 200' : `HTTP 200, or 206 from byte ${kept}`;
  throw new Error(`${url}: expected ${expected}, found HTTP ${status}${range === null ? '' : ` with ${range}`}.`);
}

/** Resolves to the position behind the last byte. */
async function writeBody(
  response: Response,
  part: FileHandle,
  start: number,
  timer: SilenceTimer,
  { stallTimeoutMs, maximumBytes, onProgress, signal }: DownloadOptions,
): Promise<number> {
  const length = response.headers.get('content-length');
  const totalBytes = length === null ? null : start + Number(length);
  let position = start;
  timer.restart(stallTimeoutMs, 'no more bytes');
  onProgress(position, totalBytes);
  for await (const chunk of bodyOf(response, signal)) {
    if (position + chunk.length > maximumBytes) {
      throw new Error(`${response.url}: expected at most ${maximumBytes} bytes, found more.`);
    }
    await part.write(chunk, 0, chunk.length, position);
    position += chunk.length;
    timer.restart(stallTimeoutMs, 'no more bytes');
    onProgress(position, totalBytes);
  }
  return position;
}

async function* bodyOf(response: Response, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  try {
    if (response.body !== null) yield* response.body as AsyncIterable<Uint8Array>;
  } catch (cause) {
    signal.throwIfAborted();
    throw new BrokenTransfer(`${response.url} broke off ${ATTEMPTS} times, at last by: ${messageOf(cause)}.`, {
      cause,
    });
  }
}

/** Aborts its signal when nothing restarts it in time, and when `outer` is aborted. */
class SilenceTimer {
  readonly signal: AbortSignal;
  readonly #controller = new AbortController();
  #timeout: NodeJS.Timeout | undefined;

  constructor(outer: AbortSignal) {
    this.signal = AbortSignal.any([outer, this.#controller.signal]);
  }

  /** `silence` says what it means when `milliseconds` pass. */
  restart(milliseconds: number, silence: string): void {
    clearTimeout(this.#timeout);
    const reason = new Error(`${silence} within ${milliseconds} ms`);
    this.#timeout = setTimeout(() => {
      this.#controller.abort(reason);
    }, milliseconds);
  }

  /** Gives an answer back that was not read to its end. */
  end(): void {
    clearTimeout(this.#timeout);
    this.#controller.abort();
  }
}
