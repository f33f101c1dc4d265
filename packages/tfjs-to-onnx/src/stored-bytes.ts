import type { LayersModelArtifacts } from './artifacts.ts';
import { malformed } from './errors.ts';
import { shown } from './settings.ts';

/** Bytes that lie in a row over any number of buffers, which are never joined. */
export class StoredBytes {
  readonly length: number;
  readonly #parts: readonly { start: number; bytes: Uint8Array }[];

  /** What is no bytes, buffer or list of those is `malformed-tfjs-model`. */
  constructor(source: LayersModelArtifacts['weightData']) {
    const list: readonly unknown[] = Array.isArray(source) ? source : source === undefined ? [] : [source];
    let start = 0;
    this.#parts = list.map((part) => {
      const bytes = plainBytes(part);
      const placed = { start, bytes };
      start += bytes.length;
      return placed;
    });
    this.length = start;
  }

  /** Bytes from `start` to `end`, excluded: a view where they lie in one buffer, otherwise a copy. */
  slice(start: number, end: number): Uint8Array {
    let index = this.#indexOf(start);
    const first = this.#parts[index];
    if (!first) return new Uint8Array();
    const within = start - first.start;
    if (end - first.start <= first.bytes.length) return first.bytes.subarray(within, end - first.start);
    const copy = new Uint8Array(end - start);
    for (let written = 0; written < copy.length; index++) {
      const part = this.#parts[index];
      if (!part) break;
      const from = Math.max(0, start - part.start);
      const piece = part.bytes.subarray(from, Math.min(part.bytes.length, end - part.start));
      copy.set(piece, written);
      written += piece.length;
    }
    return copy;
  }

  /** The last part that begins at `offset` or before it. */
  #indexOf(offset: number): number {
    let [low, high] = [0, this.#parts.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.#parts[middle]?.start ?? Infinity) <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

/** Never a Node Buffer, whose `slice` does something else. */
function plainBytes(source: unknown): Uint8Array {
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  if (ArrayBuffer.isView(source)) return new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
  throw malformed(`The weight data is ${shown(source)}; expected bytes, a buffer, or a list of those.`);
}
