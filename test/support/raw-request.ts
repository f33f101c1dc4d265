import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** Of an answer, in the message of a failure: some have megabytes. */
const MAXIMUM_SHOWN = 2_000;

export interface RawRequest {
  socket: Socket;
  write(text: string | Uint8Array): void;
  /** All that has been answered so far. */
  received(): string;
  /** Resolves with all that was answered when `pattern` is in it; rejects when the connection ends without. */
  receives(pattern: RegExp): Promise<string>;
  /** Resolves with all that was answered when the connection has ended, however. */
  ended(): Promise<string>;
  destroy(): void;
}

/** A connection to `url` by which bytes are sent as a test wants them. */
export async function connectTo(url: string): Promise<RawRequest> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  let text = '';
  let isOver = false;
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  socket.on('error', () => undefined); // a reset is an end, too
  const over = new Promise<void>((resolve) => {
    socket.once('close', () => {
      isOver = true;
      resolve();
    });
  });
  return {
    socket,
    write: (bytes) => void socket.write(bytes),
    received: () => text,
    async receives(pattern) {
      while (!pattern.test(text)) {
        if (isOver) throw new Error(`Ended without ${pattern}:\n${text.slice(-MAXIMUM_SHOWN)}`);
        await Promise.race([once(socket, 'data').catch(() => undefined), over]);
      }
      return text;
    },
    async ended() {
      await over;
      return text;
    },
    destroy: () => void socket.destroy(),
  };
}

/** The head of a request with a body of so many bytes. */
export function headOf(path: string, bytes: number, headers: Record<string, string> = {}): string {
  const lines = Object.entries({ Host: 'localhost', 'Content-Length': String(bytes), ...headers });
  return `POST ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
}
