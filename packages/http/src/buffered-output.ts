/** How long a line waits for others, in ms. */
const WAIT_MS = 10;

/** How much waits at most, in UTF-16 units: a pipe of Linux takes as many bytes in one piece. */
const MAXIMUM_LENGTH = 64 * 1024;

/** As much of a stream as is used. */
export interface Output {
  write(text: string): unknown;
}

/**
 * Lines that are written together: each write to a pipe or a file is a system call in which nothing else happens, and a
 * busy service has thousands of lines a second. What waits is written when the process ends, unless a signal that cannot
 * be caught ends it, and with a fatal line at once (pino calls `flushSync`).
 */
export class BufferedOutput {
  readonly #output: Output;
  #text = '';
  #timer: NodeJS.Timeout | undefined;

  constructor(output: Output) {
    this.#output = output;
  }

  write(line: string): void {
    this.#text += line;
    if (this.#text.length >= MAXIMUM_LENGTH) this.flushSync();
    else this.#timer ??= setTimeout(() => this.flushSync(), WAIT_MS).unref();
  }

  flushSync(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#text === '') return;
    const text = this.#text;
    this.#text = '';
    this.#output.write(text);
  }
}
