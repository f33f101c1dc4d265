import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DomainError } from '@atelier/domain';

export interface Listening {
  /** For example `http://127.0.0.1:8080`. */
  url: string;
  /**
   * Stops accepting, lets requests in flight finish for at most `graceMs`, and resolves when the last connection has
   * ended. Every call returns the same promise.
   */
  close: () => Promise<void>;
}

/** How often a closing server ends the keep-alive connections that have become idle. */
const IDLE_SWEEP_MS = 20;

/** Listens on `host` and `port` (0: any free one); `address-unavailable` says why it cannot. */
export async function listen(app: RequestListener, host: string, port: number, graceMs = 10_000): Promise<Listening> {
  const server = createServer(app);
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (cause) {
    throw new DomainError('address-unavailable', `Cannot listen on ${host}:${port}: ${reasonOf(cause)}.`, { cause });
  }
  let closed: Promise<void> | undefined;
  return { url: urlOf(server.address() as AddressInfo), close: () => (closed ??= close(server, graceMs)) };
}

/** `server.close` waits for idle keep-alive connections of requests that end after it: sweep them until none is left. */
async function close(server: Server, graceMs: number): Promise<void> {
  const sweep = setInterval(() => server.closeIdleConnections(), IDLE_SWEEP_MS);
  const limit = setTimeout(() => server.closeAllConnections(), graceMs);
  try {
    const closed = once(server, 'close');
    server.close();
    await closed;
  } finally {
    clearInterval(sweep);
    clearTimeout(limit);
  }
}

function urlOf({ address, family, port }: AddressInfo): string {
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}

const REASONS: Record<string, string> = {
  EADDRINUSE: 'another program listens there; stop it or choose another port',
  EACCES: 'this user may not use that port; choose one above 1023',
  EADDRNOTAVAIL: 'this machine has no such address',
  ENOTFOUND: 'no machine of that name is known',
};

function reasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code ?? String(error);
  return REASONS[code] ?? code;
}
