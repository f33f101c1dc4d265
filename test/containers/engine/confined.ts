import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from '../../support/until.ts';
import type { Container, ContainerOptions, Image } from './engine.ts';

const SCRIPT = fileURLToPath(new URL('confined.sh', import.meta.url));

/** Starts an image's program in namespaces of its own. `folders` are threes of source, target and `ro` or `rw`. */
export async function startConfined(
  { config, root }: Image,
  folders: readonly string[],
  { environment = {}, command = config.Cmd }: ContainerOptions,
): Promise<Container> {
  const variables = { ...fromList(config.Env), ...environment };
  const child = spawn(
    'unshare',
    [
      ...['--mount', '--pid', '--ipc', '--uts', '--fork', '--kill-child'],
      ...['sh', SCRIPT, root, config.User, config.WorkingDir, ...folders, '--'],
      ...Object.entries(variables).map(([name, value]) => `${name}=${value}`),
      ...[...config.Entrypoint, ...command],
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, output }));
  await once(child, 'spawn');
  const processes = async () => descendants(child.pid);
  return {
    output: () => output,
    processes,
    async signal(name) {
      await until('the container has a process', async () => (await processes()).length > 0 || child.exitCode !== null);
      const [first] = await processes();
      if (first !== undefined) process.kill(first, name);
    },
    ended,
  };
}

function fromList(list: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    list.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)] as const),
  );
}

/** Children before their own. */
function descendants(parent: number | undefined): number[] {
  if (parent === undefined) return [];
  const children = read(join('/proc', String(parent), 'task', String(parent), 'children'))
    .split(' ')
    .filter((word) => word.trim() !== '')
    .map(Number);
  return [...children, ...children.flatMap(descendants)];
}

/** Empty where the process has ended. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
