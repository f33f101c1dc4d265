/** An answer of HTTP/1.1, whole. */
export interface Answer {
  status: number;
  /** From the status line to the last header, without the empty line. */
  head: string;
  body: Buffer;
}

const END_OF_HEAD = '\r\n\r\n';

/**
 * Cuts the bytes of a connection into answers, wherever the chunks end. It reads what a load generator must know, the
 * status and `Content-Length`, and nothing else; an answer without that length is an error, since its end is unknown.
 */
export class AnswerParser {
  #bytes: Buffer = Buffer.alloc(0);

  /** Whether an answer has begun that has not ended. */
  get isWithinAnswer(): boolean {
    return this.#bytes.length > 0;
  }

  /** The answers that this chunk makes whole; almost always none or one. */
  push(chunk: Buffer): Answer[] {
    const answers: Answer[] = [];
    let bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
    for (;;) {
      const endOfHead = bytes.indexOf(END_OF_HEAD);
      if (endOfHead === -1) break;
      const head = bytes.toString('latin1', 0, endOfHead);
      const start = endOfHead + END_OF_HEAD.length;
      const end = start + lengthOf(head);
      if (bytes.length < end) break;
      answers.push({ status: Number(head.slice(9, 12)), head, body: bytes.subarray(start, end) });
      bytes = bytes.subarray(end);
    }
    this.#bytes = bytes;
    return answers;
  }
}

function lengthOf(head: string): number {
  const [, length] = /\r\ncontent-length: *(\d+)/i.exec(head) ?? [];
  if (length !== undefined) return Number(length);
  throw new Error(`An answer without Content-Length, whose end cannot be known: ${head.slice(0, 200)}`);
}

export function hasHeader(head: string, name: string): boolean {
  return head.toLowerCase().includes(`\r\n${name.toLowerCase()}:`);
}

/** Whether the server ends the connection after this answer. */
export function endsConnection({ head }: Answer): boolean {
  return /\r\nconnection: *close/i.test(head);
}
