import { RandomAccessReader } from 'yauzl';
import type { FileWindow } from '../file-window.ts';

type Told = (error: Error | null, bytesRead?: number) => void;

/** Gives the library, which reads a directory in pieces of some ten bytes, what lies in the window at once. */
export class WindowReader extends RandomAccessReader {
  readonly #window: FileWindow;

  constructor(window: FileWindow) {
    super();
    this.#window = window;
  }

  override read(buffer: Buffer, offset: number, length: number, position: number, told: Told): void {
    const there = this.#window.peek(position, length);
    if (there !== undefined) {
      told(null, there.copy(buffer, offset));
      return;
    }
    this.#window.read(position, length).then((bytes) => told(null, bytes.copy(buffer, offset)), told);
  }
}
