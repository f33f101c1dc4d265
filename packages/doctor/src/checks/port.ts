import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Check } from '../check.ts';
import type { Finding } from '../report.ts';

export interface PortNeeds {
  group: string;
  name: string;
  host: string;
  /** 0 is any free one. */
  port: number;
  hostVariable: string;
  portVariable: string;
  /** Whether it is this service that answers at a URL; asked where the port is taken. */
  isOurs: (url: string) => Promise<boolean>;
}

/** Whether a service can listen where it is told to, or does already. */
export function portCheck(needs: PortNeeds): Check {
  return { group: needs.group, name: needs.name, examine: () => examinePort(needs) };
}

async function examinePort({ host, port, hostVariable, portVariable, isOurs }: PortNeeds): Promise<Finding> {
  const address = `${host}:${port}`;
  const facts = { host, port };
  const code = await listenOnTrial(host, port);
  if (code === null) {
    const summary = port === 0 ? `${host}, any free port` : `${address} is free`;
    return { status: 'ok', summary, facts: { ...facts, taken: false, ours: null } };
  }
  if (code === 'EADDRINUSE') {
    const ours = await isOurs(`http://${reachable(host)}:${port}`).catch(() => false);
    const taken = { ...facts, taken: true, ours };
    if (ours) return { status: 'ok', summary: `${address}: this service listens there already`, facts: taken };
    const remedy = `Stop it, or choose another port by ${portVariable}; "ss -ltnp" names who listens.`;
    return { status: 'fault', summary: `${address} is taken by another program`, remedy, facts: taken };
  }
  const [summary, remedy] = FAULTS[code] ?? [
    `cannot listen (${code})`,
    `Choose others by ${hostVariable} and ${portVariable}.`,
  ];
  return {
    status: 'fault',
    summary: `${address}: ${summary}`,
    remedy: remedy.replace('HOST', hostVariable).replace('PORT', portVariable),
    facts: { ...facts, taken: null, ours: null },
  };
}

const FAULTS: Record<string, [summary: string, remedy: string]> = {
  EACCES: ['this user may not use that port', 'Choose one above 1023 by PORT.'],
  EADDRNOTAVAIL: ['this machine has no such address', 'Choose one that it has, or 0.0.0.0 for all, by HOST.'],
  ENOTFOUND: ['no machine of that name is known', 'Choose another by HOST.'],
};

/** Null where it works; else the system's code. */
async function listenOnTrial(host: string, port: number): Promise<string | null> {
  const server = createServer();
  try {
    server.listen({ host, port, exclusive: true });
    await once(server, 'listening');
    server.close();
    await once(server, 'close');
    return null;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

/** Who listens on every address answers on the loopback one. */
function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}

/** Whether a path of a service answers with one of these statuses in time: as far as that can be known, it is that service. */
export async function answers(url: string, statuses: readonly number[]): Promise<boolean> {
  const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
  await response.body?.cancel();
  return statuses.includes(response.status);
}
