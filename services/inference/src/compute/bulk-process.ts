import { DomainError, hasCode, PIXELS_PER_IMAGE } from '@atelier/domain';
import type { EvaluationReport } from '@atelier/evaluation';
import type { ImageOptions } from '../contract/image.ts';
import type { PackedFile } from '../evaluation/sources/packed-file.ts';
import type { DecodedImage } from '../image/decode.ts';
import type { DecodedHead, PackedHead } from './bulk-messages.ts';
import { type ComputeProcess, type ComputeProcessOptions, startComputeProcess } from './compute-process.ts';
import { computeEntries } from './entries.ts';
import { SharedOrAlone } from './shared-or-alone.ts';

export interface BulkOptions extends Pick<ComputeProcessOptions, 'decoders' | 'log' | 'entry'> {
  /** Most pixels of a picture, counted as `Header.cost` says. */
  maximumPixels: number;
  /** How long the process stays when nothing is to be decoded, in ms: the next evaluation may come at once. Default: half a minute. */
  idleMs?: number;
}

/**
 * It gives way to everybody: on a machine whose cores are taken it may get none for minutes, and is not stuck. Were it replaced
 * then, its successor would get none either, and pictures be blamed that have nothing to do with it.
 */
const STUCK_MS = 15 * 60_000;
const ANSWER_LIMIT_MS = STUCK_MS;

const IDLE_MS = 30_000;

/** What became of a file: its image, or why there is none. */
export type Decoded = DecodedImage | DomainError;

/** What evaluations compute beside the model, in a process of its own at the lowest priority, which is there while it is needed. */
export class BulkProcess {
  readonly #options: BulkOptions;
  readonly #turns = new SharedOrAlone();
  #process: Promise<ComputeProcess> | undefined;
  #inWork = 0;
  #idle: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: BulkOptions) {
    this.#options = options;
  }

  /**
   * One answer for each file, in their order. A file over which the process dies is found by trying the halves of its message,
   * alone, and is `undecodable-image`. Rejects with the reason of `signal`, or `engine-fault`.
   */
  decode(files: readonly PackedFile[], options: ImageOptions, signal: AbortSignal | undefined): Promise<Decoded[]> {
    return this.#during(() =>
      this.#turns
        .shared(() => this.#ask(files, options))
        .catch((error: unknown) => {
          signal?.throwIfAborted();
          if (!hasCode(error, 'engine-lost') || this.#isClosed) throw error;
          const { log } = this.#options;
          log.warn({ files: files.length }, 'The bulk process was lost; looking for the file that did it');
          return this.#turns.alone(() => this.#search(files, options, signal));
        }),
    );
  }

  /** A report as a page; its charts take most of a second of somebody's thread. */
  page(report: EvaluationReport): Promise<string> {
    return this.#during(async () => {
      const { decoder } = await this.#running();
      const { bytes } = await decoder.ask({ kind: 'page' }, Buffer.from(JSON.stringify(report)), ANSWER_LIMIT_MS);
      return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
    });
  }

  async #during<T>(task: () => Promise<T>): Promise<T> {
    clearTimeout(this.#idle);
    this.#inWork++;
    try {
      return await task();
    } finally {
      if (--this.#inWork === 0)
        this.#idle = setTimeout(() => void this.#end(), this.#options.idleMs ?? IDLE_MS).unref();
    }
  }

  /** What is being decoded is given up. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#idle);
    const process = await this.#process?.catch(() => undefined);
    process?.kill('the service stops');
    await process?.ended;
  }

  /** The process has died over these files: of two halves one can be decoded as if nothing had been. */
  async #search(
    files: readonly PackedFile[],
    options: ImageOptions,
    signal: AbortSignal | undefined,
  ): Promise<Decoded[]> {
    const decoded: Decoded[] = [];
    const half = Math.ceil(files.length / 2);
    for (const part of [files.slice(0, half), files.slice(half)]) {
      signal?.throwIfAborted();
      if (part.length === 0) continue;
      try {
        decoded.push(...(await this.#ask(part, options)));
      } catch (error) {
        if (!hasCode(error, 'engine-lost') || this.#isClosed) throw error;
        if (part.length > 1) decoded.push(...(await this.#search(part, options, signal)));
        else decoded.push(new DomainError('undecodable-image', 'The decoder died over the image.'));
      }
    }
    return decoded;
  }

  async #ask(files: readonly PackedFile[], options: ImageOptions): Promise<Decoded[]> {
    const { decoder } = await this.#running();
    const heads: PackedHead[] = files.map(({ stored, ...head }) => ({ ...head, storedBytes: stored.length }));
    const { maximumPixels } = this.#options;
    const question = { kind: 'decode-all', files: heads, maximumPixels, options } as const;
    const bytes = Buffer.concat(files.map(({ stored }) => stored));
    const { head, bytes: images } = await decoder.ask(question, bytes, ANSWER_LIMIT_MS);
    return imagesOf(head.decoded ?? [], images, files.length);
  }

  #running(): Promise<ComputeProcess> {
    if (this.#isClosed) throw new DomainError('shutting-down', 'The service is stopping.');
    if (this.#process !== undefined) return this.#process;
    const starting = this.#start();
    this.#process = starting;
    const forget = () => {
      if (this.#process === starting) this.#process = undefined; // and not its successor
    };
    starting.then(({ ended }) => ended.then(forget), forget);
    return starting;
  }

  async #start(): Promise<ComputeProcess> {
    const { decoders, log, entry } = this.#options;
    const entries = await computeEntries();
    const limits = { stuckMs: STUCK_MS, startLimitMs: STUCK_MS };
    const own = { engines: 0, decoders, log, ...limits, entry: entry ?? entries['bulk-main'] };
    return startComputeProcess(own);
  }

  async #end(): Promise<void> {
    const process = await this.#process?.catch(() => undefined);
    if (this.#inWork > 0) return;
    this.#process = undefined;
    await process?.close().catch((error: unknown) => this.#options.log.warn({ err: error }, 'The bulk process'));
  }
}

function imagesOf(heads: readonly DecodedHead[], images: Uint8Array, files: number): Decoded[] {
  const count = heads.filter((head) => 'facts' in head).length;
  if (heads.length !== files || images.length !== count * PIXELS_PER_IMAGE) {
    throw new DomainError('engine-fault', `The decoder answered ${images.length} pixels for ${files} files.`);
  }
  let start = 0;
  return heads.map((head) => {
    if (!('facts' in head)) return new DomainError(head.code, head.message);
    return { image: images.subarray(start, (start += PIXELS_PER_IMAGE)), facts: head.facts };
  });
}
