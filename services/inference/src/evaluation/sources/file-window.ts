import type { StoredFile } from './stored-file.ts';

const WINDOW_BYTES = 512 * 1024;

/** Reads a file through a window that moves with its reader: most of what is asked for lies in it already. */
export class FileWindow {
  readonly #file: StoredFile;
  #start = 0;
  #window: Buffer = Buffer.alloc(0);

  constructor(file: StoredFile) {
    this.#file = file;
  }

  /** The bytes from `position` on where all of them are in the window. They are a view of it, which nobody changes. */
  peek(position: number, length: number): Buffer | undefined {
    const offset = position - this.#start;
    return offset >= 0 && offset + length <= this.#window.length
      ? this.#window.subarray(offset, offset + length)
      : undefined;
  }

  /** The bytes from `position` on; fewer at the end of the file. */
  async read(position: number, length: number): Promise<Buffer> {
    const there = this.peek(position, length);
    if (there !== undefined) return there;
    if (length > WINDOW_BYTES) return this.#file.read(position, length);
    this.#window = await this.#file.read(position, WINDOW_BYTES);
    this.#start = position;
    return this.#window.subarray(0, length);
  }
}
