import { type FileHandle, open } from 'node:fs/promises';
import { storageError } from './whole-file.ts';

/** What one read takes from the file at most, in bytes; no event is as long. */
const BLOCK_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

export interface NumberedLine {
  /** The number of its line, counted from 1: an event's id for ever. */
  id: number;
  line: string;
}

/** Reads a run's `events.ndjson` from any line on, while it grows. A line counts when its end has been written. */
export class EventReader {
  readonly #path: string;
  readonly #block = Buffer.alloc(BLOCK_BYTES);
  #file: FileHandle | null = null;
  /** Behind the last whole line that was read: what a crash left of a line is cut off, and other bytes take its place. */
  #position = 0;
  #lines = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** Lines that have been read or skipped. */
  get lines(): number {
    return this.#lines;
  }

  /** Skips the first `count` lines, or as many as there are. */
  async skip(count: number): Promise<void> {
    while (this.#lines < count) {
      const bytes = await this.#wholeLines();
      if (bytes.length === 0) return;
      let end = 0;
      for (; this.#lines < count && end < bytes.length; this.#lines++) end = bytes.indexOf(NEWLINE, end) + 1;
      this.#position += end;
    }
  }

  /** The lines that follow, as many as a read brings; none where no whole line is there yet. */
  async next(): Promise<NumberedLine[]> {
    const bytes = await this.#wholeLines();
    if (bytes.length === 0) return [];
    this.#position += bytes.length;
    const lines = bytes.subarray(0, -1).toString().split('\n');
    return lines.map((line) => ({ id: ++this.#lines, line }));
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = null;
  }

  /** The bytes from the position to the last end of a line; none at the end, and where there is no file yet. */
  async #wholeLines(): Promise<Buffer> {
    this.#file ??= await open(this.#path, 'r').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null;
      throw storageError(error, this.#path);
    });
    if (this.#file === null) return this.#block.subarray(0, 0);
    const { bytesRead } = await this.#file.read(this.#block, 0, BLOCK_BYTES, this.#position);
    return this.#block.subarray(0, this.#block.subarray(0, bytesRead).lastIndexOf(NEWLINE) + 1);
  }
}
