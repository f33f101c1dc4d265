import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { storageError } from '../runs/whole-file.ts';

/** A run's `log.txt`: what its process writes, and lines of ours with their time. */
export class RunLog {
  readonly #file: FileHandle;
  #written: Promise<unknown> = Promise.resolve();

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  static async open(directory: string): Promise<RunLog> {
    const path = join(directory, 'log.txt');
    try {
      return new RunLog(await open(path, 'a'));
    } catch (error) {
      throw storageError(error, path);
    }
  }

  get descriptor(): number {
    return this.#file.fd;
  }

  /** A line that finds no room is lost: the run's state says what matters. */
  write(message: string): void {
    const line = `${new Date().toISOString()} ${message}\n`;
    this.#written = this.#written.then(() => this.#file.appendFile(line)).catch(() => undefined);
  }

  async close(): Promise<void> {
    await this.#written;
    await this.#file.close();
  }
}
