import { writeSync } from 'node:fs';

/** How long a line waits for others, in ms. */
const WAIT_MS = 10;

/** As much waits at most, in UTF-16 units, before it is written. */
const MAXIMUM_LENGTH = 64 * 1024;

/** What waits at most, in bytes, for a reader that does not read; further lines are lost. */
const MAXIMUM_UNREAD_BYTES = 8 * 1024 * 1024;

/** How long the last lines of a process wait for their reader, in ms. */
const LAST_LIMIT_MS = 1_000;
const LAST_STEP_MS = 5;

/**
 * Lines that are written together to a descriptor: each write is a system call in which nothing else happens, and a busy
 * service has thousands of lines a second. By descriptor and not by Node's stream, because that writes to a pipe when its
 * reader has room: what then waits in it is lost when the process ends. A reader that is gone loses the lines; a slow one
 * holds up nobody.
 */
export class BufferedOutput {
  readonly #descriptor: number;
  #text = '';
  /** Written in part. */
  #rest: Buffer = Buffer.alloc(0);
  #timer: NodeJS.Timeout | undefined;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  write(line: string): void {
    this.#text += line;
    if (this.#text.length >= MAXIMUM_LENGTH) this.#flush();
    else this.#flushLater();
  }

  /** Writes what waits before it returns, for a process that ends and for a fatal line; pino calls it for that. */
  flushSync(): void {
    const end = performance.now() + LAST_LIMIT_MS;
    while (!this.#flush() && performance.now() < end) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LAST_STEP_MS);
    }
  }

  #flushLater(): void {
    this.#timer ??= setTimeout(() => this.#flush(), WAIT_MS).unref();
  }

  /** Whether all is written, or lost with its reader. */
  #flush(): boolean {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#rest.length < MAXIMUM_UNREAD_BYTES && this.#text !== '') {
      const text = Buffer.from(this.#text);
      this.#rest = this.#rest.length === 0 ? text : Buffer.concat([this.#rest, text]);
    }
    this.#text = '';
    try {
      while (this.#rest.length > 0) this.#rest = this.#rest.subarray(writeSync(this.#descriptor, this.#rest));
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') {
        this.#flushLater();
        return false;
      }
      this.#rest = Buffer.alloc(0); // EPIPE, or a disk that is full: there is nobody to say it to
      return true;
    }
  }
}
