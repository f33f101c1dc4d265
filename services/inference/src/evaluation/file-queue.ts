import { FILES_PER_PART, type NamedFile, PART_BYTES } from './sources/labelled-set.ts';

/** Files that have arrived and wait to be decoded: few, because who sends them is made to wait where they are not taken. */
export class FileQueue {
  readonly #files: NamedFile[] = [];
  #bytes = 0;
  #end: Error | 'ended' | undefined;
  #wake: (() => void)[] = [];

  push(file: NamedFile): void {
    this.#files.push(file);
    this.#bytes += bytesOf(file);
    this.#changed();
  }

  /** No more come; with a reason `parts` fails once it has given those that are there. */
  end(reason?: Error): void {
    this.#end ??= reason ?? 'ended';
    this.#changed();
  }

  /** Resolves when more may be pushed: when what waits is less than a part, or nobody takes it any more. */
  async room(): Promise<void> {
    while (this.#end === undefined && (this.#files.length >= FILES_PER_PART || this.#bytes >= PART_BYTES)) {
      await this.#change();
    }
  }

  /** What has arrived, in its order: whatever is there, as much of it as a part has, and never nothing. */
  async *parts(): AsyncGenerator<NamedFile[], void, undefined> {
    try {
      for (;;) {
        if (this.#files.length > 0) yield this.#take();
        else if (this.#end instanceof Error) throw this.#end;
        else if (this.#end === 'ended') return;
        else await this.#change();
      }
    } finally {
      this.end();
    }
  }

  #take(): NamedFile[] {
    let count = 0;
    let bytes = 0;
    for (const file of this.#files) {
      if (count === FILES_PER_PART || (count > 0 && bytes + bytesOf(file) > PART_BYTES)) break;
      count++;
      bytes += bytesOf(file);
    }
    this.#bytes -= bytes;
    const taken = this.#files.splice(0, count);
    this.#changed();
    return taken;
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve));
  }

  #changed(): void {
    const waiting = this.#wake;
    this.#wake = [];
    for (const wake of waiting) wake();
  }
}

function bytesOf(file: NamedFile): number {
  return 'file' in file ? file.file.stored.length : 0;
}
