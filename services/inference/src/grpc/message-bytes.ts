import { DomainError } from '@atelier/domain';
import type { BodyLease } from '@atelier/http';

/** Whether the message is compressed, and its length in four bytes (gRPC over HTTP/2, "Length-Prefixed-Message"). */
const PREFIX_BYTES = 5;

/** What deflate can become at most, as a multiple of its length (https://zlib.net/zlib_tech.html). */
const MOST_EXPANSION = 1032;

export interface MessageBytesOptions {
  /** Of one message, before and after decompression. */
  maximumBytes: number;
  /** Whether there may be more than one message. */
  many: boolean;
  /** Whether the library decompresses: nobody sees how much comes of it. */
  expands: boolean;
}

/** What the messages of one call hold of the budget: bytes count as they come. */
export class MessageBytes {
  readonly #lease: BodyLease;
  readonly #options: MessageBytesOptions;
  readonly #prefix = Buffer.alloc(PREFIX_BYTES);
  /** How much of the prefix is there, and how much of the message behind it is not. */
  #prefixed = 0;
  #left = 0;
  /** What each message holds that is whole and has not been handed on. */
  readonly #whole: number[] = [];
  #messages = 0;
  /** Of the last whole message. */
  isCompressed = false;

  constructor(lease: BodyLease, options: MessageBytesOptions) {
    this.#lease = lease;
    this.#options = options;
  }

  /** Whether a message has begun and has not ended. */
  get isIncomplete(): boolean {
    return this.#prefixed > 0;
  }

  /**
   * Counts what has come. Throws `overloaded` where there is no room, `payload-too-large` for a message that says that it
   * is too large, and `malformed-body` for a second one where there is one.
   */
  arrived(chunk: Buffer): void {
    this.#lease.take(chunk.length);
    for (let place = 0; place < chunk.length;) {
      if (this.#prefixed < PREFIX_BYTES) {
        this.#prefix[this.#prefixed++] = chunk[place++] ?? 0;
        if (this.#prefixed < PREFIX_BYTES) continue;
        this.#begin(chunk.length - place);
      }
      const part = Math.min(this.#left, chunk.length - place);
      place += part;
      this.#left -= part;
      if (this.#left === 0) this.#end();
    }
  }

  /** The first whole message has been handed on. Of many it is done with, and the only one is held until the call ends. */
  handedOn(): void {
    const held = this.#whole.shift() ?? 0;
    if (this.#options.many) this.#lease.giveBack(held);
  }

  #begin(here: number): void {
    const { maximumBytes, many } = this.#options;
    if (this.#messages++ > 0 && !many) throw new DomainError('malformed-body', 'More than one message came.');
    this.#left = this.#prefix.readUInt32BE(1);
    if (this.#left > maximumBytes) {
      throw new DomainError(
        'payload-too-large',
        `The message has ${this.#left} bytes; at most ${maximumBytes} are taken.`,
      );
    }
    this.#lease.check(Math.max(0, this.#left - here));
  }

  #end(): void {
    const length = this.#prefix.readUInt32BE(1);
    this.isCompressed = this.#prefix[0] === 1;
    const { expands, maximumBytes } = this.#options;
    const expansion = expands && this.isCompressed ? Math.min(length * MOST_EXPANSION, maximumBytes) : 0;
    this.#lease.take(expansion);
    this.#whole.push(PREFIX_BYTES + length + expansion);
    this.#prefixed = 0;
  }
}
