import { execFileSync, spawnSync } from 'node:child_process';
import { readdir, readFile, readlink } from 'node:fs/promises';

export interface InternetSocket {
  kind: string;
  localPort: number;
  /** 0 where there is none. */
  remotePort: number;
  isListening: boolean;
}

const KINDS = ['tcp', 'tcp6', 'udp', 'udp6', 'raw', 'raw6'];
const LISTEN = '0A';

/** The sockets of a process that lead to a network, as Linux lists them (man 5 proc_pid_net). */
export async function internetSockets(pid: number): Promise<InternetSocket[]> {
  const own = new Set<string>();
  for (const descriptor of await readdir(`/proc/${pid}/fd`)) {
    const [, inode] = /^socket:\[(\d+)\]$/.exec(await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => '')) ?? [];
    if (inode !== undefined) own.add(inode);
  }
  const sockets: InternetSocket[] = [];
  for (const kind of KINDS) {
    const [, ...lines] = (await readFile(`/proc/${pid}/net/${kind}`, 'utf8')).trim().split('\n');
    for (const line of lines) {
      const [, local = '', remote = '', state, , , , , , inode = ''] = line.trim().split(/\s+/);
      if (!own.has(inode)) continue;
      sockets.push({ kind, localPort: portOf(local), remotePort: portOf(remote), isListening: state === LISTEN });
    }
  }
  return sockets;
}

/** Whether strace may watch programs here: it sees what native code does, too. */
export function canTrace(): boolean {
  return spawnSync('strace', ['-f', '-qq', '-o', '/dev/null', 'true']).status === 0;
}

/** A command under strace, which writes into `file` who connects, sends or listens where. */
export function traced(file: string, command: string[]): string[] {
  const filter = execFileSync('strace', ['--help'], { encoding: 'utf8' }).includes('seccomp-bpf')
    ? ['--seccomp-bpf']
    : [];
  const calls = 'trace=connect,sendto,sendmsg,sendmmsg,listen';
  return ['strace', '-f', '-qq', ...filter, '-e', calls, '-o', file, ...command];
}

/** Of what `traced` wrote: calls that name an address of a network. */
export function outgoingCalls(trace: string): string[] {
  return trace.split('\n').filter((line) => /(connect|sendto|sendmsg|sendmmsg)\(.*AF_INET/.test(line));
}

function portOf(address: string): number {
  return Number.parseInt(address.split(':')[1] ?? '0', 16);
}
