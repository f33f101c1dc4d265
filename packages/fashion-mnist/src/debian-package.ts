import { execFile, type ExecFileException } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf } from '@atelier/domain';

/** Where the package of Debian and Ubuntu puts the four `.gz` files. */
export const DEBIAN_FOLDER = '/usr/share/datasets/fashion-mnist';
export const DEBIAN_PACKAGE = 'dataset-fashion-mnist';

/** The programs, by name or path. */
export interface DebianTools {
  readonly aptGet: string;
  readonly dpkgDeb: string;
}

const LIMIT_MS = 10 * 60_000;

/**
 * Downloads a Debian package and hands `use` the folder that stands for `/` in it, which is gone afterwards. Nothing is
 * installed and no root is needed: apt's lists and cache are private to this call, as those of a new machine are empty
 * and those of the system are not ours to write. Rejects with what the programs say.
 */
export async function withDebianPackage<Result>(
  name: string,
  { aptGet, dpkgDeb }: DebianTools,
  signal: AbortSignal,
  use: (root: string) => Promise<Result>,
): Promise<Result> {
  const home = await mkdtemp(join(tmpdir(), `${name}-`));
  try {
    // apt run by root drops to the user _apt, who must get in here.
    await chmod(home, 0o755);
    const [lists, cache, unpacked] = [join(home, 'lists'), join(home, 'cache'), join(home, 'unpacked')];
    for (const folder of [lists, cache, unpacked]) await mkdir(folder);
    const settings = [`Dir::State::Lists=${lists}`, `Dir::Cache=${cache}`, 'Acquire::http::Timeout=10'];
    const apt = (...words: string[]) =>
      run(aptGet, ['-q', ...settings.flatMap((setting) => ['-o', setting]), ...words], home, signal);

    // One broken source among many fails the update; the package may be in another, so the download decides.
    const updateFault = await apt('update').then(
      () => null,
      (error: unknown) => error,
    );
    signal.throwIfAborted();
    await apt('download', name).catch((downloadFault: unknown) => {
      const faults = [updateFault, downloadFault].filter((fault) => fault !== null);
      throw new AggregateError(faults, [...new Set(faults.map(messageOf))].join('; '));
    });
    const archive = (await readdir(home)).find((entry) => entry.endsWith('.deb'));
    if (archive === undefined) throw new Error(`${aptGet} download ${name} left no .deb file.`);
    await run(dpkgDeb, ['-x', archive, unpacked], home, signal);
    return await use(unpacked);
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

async function run(program: string, words: string[], cwd: string, signal: AbortSignal): Promise<void> {
  try {
    await promisify(execFile)(program, words, { cwd, timeout: LIMIT_MS, signal });
  } catch (cause) {
    signal.throwIfAborted();
    throw new Error(describeFailure(program, cause as ExecFileException & { stderr?: string }), { cause });
  }
}

function describeFailure(program: string, failure: ExecFileException & { stderr?: string }): string {
  if (failure.code === 'ENOENT') return `${program} is not on this machine.`;
  if (failure.killed === true) return `${program} did not end within ${LIMIT_MS} ms.`;
  // apt marks errors with E: and mere warnings with W:; the last lines carry the reason.
  const lines = (failure.stderr ?? '').split('\n').filter((line) => line.trim() !== '');
  const errors = lines.filter((line) => line.startsWith('E:'));
  return `${program}: ${(errors.length > 0 ? errors : lines).slice(-2).join(' ') || failure.message}`;
}
