import { createHash, type Hash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';

/** So much is read and hashed at a time: less than a millisecond of anybody's thread. */
const SLICE_BYTES = 256 * 1024;

/** A file that can be read at any place: an upload on the disk, or a file of this machine. */
export class StoredFile {
  /** What messages call it. */
  readonly name: string;
  readonly bytes: number;
  readonly #handle: FileHandle;
  readonly #hash: Hash | undefined;
  readonly #release: () => Promise<void>;

  /** `hash` is the SHA-256 of all its bytes, not yet ended, where somebody has it; `release` closes the file. */
  constructor(
    { name, bytes, handle, hash }: { name: string; bytes: number; handle: FileHandle; hash?: Hash | undefined },
    release: () => Promise<void> = () => handle.close(),
  ) {
    this.name = name;
    this.bytes = bytes;
    this.#handle = handle;
    this.#hash = hash;
    this.#release = release;
  }

  /** The bytes from `position` on, `length` of them; fewer at the end of the file. */
  async read(position: number, length: number): Promise<Buffer> {
    const buffer = Buffer.allocUnsafeSlow(Math.max(0, Math.min(length, this.bytes - position)));
    let filled = 0;
    while (filled < buffer.length) {
      const { bytesRead } = await this.#handle.read(buffer, filled, buffer.length - filled, position + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return buffer.subarray(0, filled);
  }

  /** Its bytes in their order, in slices. */
  async *slices(): AsyncGenerator<Buffer, void, undefined> {
    for (let position = 0; position < this.bytes; position += SLICE_BYTES) yield this.read(position, SLICE_BYTES);
  }

  /** Its SHA-256, not yet ended, so that others' bytes can follow. */
  async hash(): Promise<Hash> {
    if (this.#hash !== undefined) return this.#hash.copy();
    const hash = createHash('sha256');
    for await (const slice of this.slices()) hash.update(slice);
    return hash;
  }

  close(): Promise<void> {
    return this.#release();
  }
}

/** `sha256:` and the sum over files one after the other. */
export async function digestOf(files: readonly StoredFile[]): Promise<string> {
  const [first, ...others] = files;
  const hash = first === undefined ? createHash('sha256') : await first.hash();
  for (const file of others) for await (const slice of file.slices()) hash.update(slice);
  return `sha256:${hash.digest('hex')}`;
}
