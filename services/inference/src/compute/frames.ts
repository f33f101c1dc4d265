import type { Duplex } from 'node:stream';

/**
 * What travels over a pipe between the service and its compute process: a small JSON object that says what it is, and
 * bytes. On the wire: uint32 length of the head, uint32 length of the bytes, both little-endian, head in UTF-8, bytes.
 */
export interface Frame<Head> {
  head: Head;
  bytes: Uint8Array;
}

const PREFIX_BYTES = 8;
const NO_BYTES = new Uint8Array(0);

/**
 * Writes a frame, together with all others that are written before the event loop goes round: a system call costs more than
 * what it carries. The caller must leave `bytes` alone from now on.
 */
export function writeFrameSoon(pipe: Duplex, head: object, bytes?: Uint8Array): void {
  if (pipe.writableCorked === 0) {
    pipe.cork();
    setImmediate(() => pipe.uncork());
  }
  writeFrame(pipe, head, bytes);
}

/** Writes a frame at once, for those who occupy their thread with the next thing. */
export function writeFrame(pipe: Duplex, head: object, bytes: Uint8Array = NO_BYTES): void {
  const text = JSON.stringify(head);
  const headBytes = Buffer.byteLength(text);
  const start = Buffer.allocUnsafe(PREFIX_BYTES + headBytes);
  start.writeUInt32LE(headBytes, 0);
  start.writeUInt32LE(bytes.length, 4);
  start.write(text, PREFIX_BYTES);
  pipe.cork(); // both in one system call
  pipe.write(start);
  if (bytes.length > 0) pipe.write(bytes);
  pipe.uncork();
}

/** What a reader puts up with. */
export interface FrameLimits {
  /** Of a head and its bytes together. */
  maximumBytes: number;
  /** Called once, with what is wrong; nothing is read after that. */
  refuse: (fault: string) => void;
}

/** Whoever writes to us is trusted. */
const NO_LIMITS: FrameLimits = {
  maximumBytes: Infinity,
  refuse: (fault) => {
    throw new Error(`On the pipe: ${fault}.`);
  },
};

/** Calls `take` for each whole frame that arrives. The bytes are the frame's own and begin where an array of floats may. */
export function readFrames<Head extends object>(
  pipe: Duplex,
  take: (frame: Frame<Head>) => void,
  { maximumBytes, refuse }: FrameLimits = NO_LIMITS,
): void {
  let chunks: Buffer[] = [];
  let length = 0;
  let wanted = PREFIX_BYTES;
  const stop = (fault: string) => {
    pipe.off('data', read).resume();
    refuse(fault);
  };
  const read = (chunk: Buffer) => {
    chunks.push(chunk);
    length += chunk.length;
    if (length < wanted) return; // a model of megabytes is put together once, not chunk by chunk
    const buffer = chunks.length === 1 ? chunk : Buffer.concat(chunks, length);
    let offset = 0;
    wanted = PREFIX_BYTES;
    while (buffer.length - offset >= PREFIX_BYTES) {
      const headBytes = buffer.readUInt32LE(offset);
      const total = PREFIX_BYTES + headBytes + buffer.readUInt32LE(offset + 4);
      if (total - PREFIX_BYTES > maximumBytes) {
        stop(`a frame of ${total} bytes; at most ${maximumBytes} are taken`);
        return;
      }
      if (buffer.length - offset < total) {
        wanted = total;
        break;
      }
      const headEnd = offset + PREFIX_BYTES + headBytes;
      const head = objectIn(buffer.toString('utf8', offset + PREFIX_BYTES, headEnd));
      if (head === undefined) {
        stop('a frame whose head is no object in JSON');
        return;
      }
      const bytes = new Uint8Array(buffer.subarray(headEnd, offset + total));
      offset += total;
      take({ head: head as Head, bytes });
    }
    chunks = offset === buffer.length ? [] : [buffer.subarray(offset)];
    length = buffer.length - offset;
  };
  pipe.on('data', read);
}

function objectIn(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
