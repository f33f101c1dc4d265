import { createHash, randomBytes } from 'node:crypto';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { DomainError, messageOf } from '@atelier/domain';
import { RetryLater } from '@atelier/http';
import type { SetLimits } from './limits.ts';
import { StoredFile } from './sources/stored-file.ts';

/** When whoever was refused for want of room may come back, in seconds. */
const RETRY_SECONDS = 10;

/**
 * A place on the disk for uploads that are read in another order than they come, or are larger than the memory. A file has
 * lost its name before the first byte is in it: it is gone when it is closed, and when the process ends, however that ends.
 */
export class Scratch {
  readonly #folder: string;
  readonly #limits: SetLimits;
  #bytes = 0;

  constructor(folder: string, limits: SetLimits) {
    this.#folder = folder;
    this.#limits = limits;
  }

  /** Of all files that are open, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** A new file that takes up to `maximumBytes`; `name` is what messages call it, and no name on the disk. */
  async create(name: string, maximumBytes = this.#limits.maximumUploadBytes): Promise<ScratchFile> {
    const path = join(this.#folder, `atelier-${randomBytes(16).toString('hex')}`);
    const handle = await told(open(path, 'wx+', 0o600));
    await unlink(path).catch((error: unknown) => handle.close().then(() => Promise.reject(error as Error)));
    return new ScratchFile(handle, name, maximumBytes, (bytes) => this.#take(bytes));
  }

  #take(bytes: number): void {
    if (bytes > 0 && this.#bytes + bytes > this.#limits.maximumScratchBytes) {
      throw new RetryLater(
        'overloaded',
        `Uploads of ${this.#bytes} bytes are being worked on; at most ${this.#limits.maximumScratchBytes} are taken together.`,
        RETRY_SECONDS,
      );
    }
    this.#bytes += bytes;
  }
}

/** A file that is being written. */
export class ScratchFile {
  readonly #handle: FileHandle;
  readonly #name: string;
  readonly #maximumBytes: number;
  readonly #take: (bytes: number) => void;
  readonly #hash = createHash('sha256');
  #bytes = 0;
  #isClosed = false;

  constructor(handle: FileHandle, name: string, maximumBytes: number, take: (bytes: number) => void) {
    this.#handle = handle;
    this.#name = name;
    this.#maximumBytes = maximumBytes;
    this.#take = take;
  }

  /** Rejects with `payload-too-large`, `overloaded` or `disk-full`. */
  async write(chunk: Buffer): Promise<void> {
    if (this.#bytes + chunk.length > this.#maximumBytes) {
      throw new DomainError('payload-too-large', `${this.#name} exceeds ${this.#maximumBytes} bytes.`);
    }
    this.#take(chunk.length);
    const position = this.#bytes;
    this.#bytes += chunk.length;
    this.#hash.update(chunk);
    for (let written = 0; written < chunk.length;) {
      const { bytesWritten } = await told(
        this.#handle.write(chunk, written, chunk.length - written, position + written),
      );
      written += bytesWritten;
    }
  }

  /** The same as a stream. */
  writable(): Writable {
    return new Writable({
      highWaterMark: 256 * 1024,
      write: (chunk: Buffer, _encoding, done) => void this.write(chunk).then(() => done(), done),
    });
  }

  /** What was written, to be read; who closes it gives its room back. */
  finish({ alsoClose }: { alsoClose?: StoredFile } = {}): StoredFile {
    const contents = { name: this.#name, bytes: this.#bytes, handle: this.#handle, hash: this.#hash };
    return new StoredFile(contents, async () => {
      await this.discard();
      await alsoClose?.close();
    });
  }

  /** Idempotent. */
  async discard(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#take(-this.#bytes);
    await this.#handle.close();
  }
}

async function told<T>(task: Promise<T>): Promise<T> {
  try {
    return await task;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (!['ENOSPC', 'EDQUOT', 'EFBIG'].includes(code ?? '')) throw error;
    throw new DomainError('disk-full', 'There is no room for the upload.', { cause: messageOf(error) });
  }
}
