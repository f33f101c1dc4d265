import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, rename } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf } from '@atelier/domain';
import { withDebianPackage } from '@atelier/fashion-mnist';
import { ROOT } from '../programs.ts';

const CACHE = join(ROOT, 'data', 'prometheus');
const LIMIT_MS = 5 * 60_000;

/** Prometheus' own checker of this machine; where there is none, Debian's is fetched once (19 MB), without root. */
export async function promtool(): Promise<(...words: string[]) => Promise<string>> {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const program = folders.map((folder) => join(folder, 'promtool')).find(existsSync) ?? (await fetched());
  return async (...words) => (await promisify(execFile)(program, words)).stdout;
}

async function fetched(): Promise<string> {
  const program = join(CACHE, 'promtool');
  if (existsSync(program)) return program;
  await mkdir(CACHE, { recursive: true });
  const beside = `${program}-${process.pid}`;
  const tools = { aptGet: 'apt-get', dpkgDeb: 'dpkg-deb' };
  try {
    await withDebianPackage('prometheus', tools, AbortSignal.timeout(LIMIT_MS), (root) =>
      copyFile(join(root, 'usr', 'bin', 'promtool'), beside),
    );
  } catch (cause) {
    const missing = "No promtool is on this machine (install Debian's package prometheus), and none could be fetched";
    throw new Error(`${missing}: ${messageOf(cause)}`, { cause });
  }
  await chmod(beside, 0o755);
  await rename(beside, program); // what is there is whole
  return program;
}
