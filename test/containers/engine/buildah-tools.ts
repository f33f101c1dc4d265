import { attempt, run } from './program.ts';

/** Debian's packages with the programs that build images and make their base, and a program of each. */
const TOOLS = { buildah: 'buildah', mmdebstrap: 'mmdebstrap' } as const;

/** What to say to apt. */
const INSTALL = ['install', '-y', '--no-install-recommends'];

/** Rejects with what to do where a program is missing, or installs it where that is asked for. */
export async function requireBuildah(mayInstall: boolean): Promise<void> {
  if (process.getuid?.() !== 0) {
    throw new Error(
      'No Docker answers, and building without one needs root here: sudo npm run test:containers, or start Docker.',
    );
  }
  const missing = [];
  for (const [name, program] of Object.entries(TOOLS)) {
    if ((await attempt(program, ['--version'])).code !== 0) missing.push(name);
  }
  if (missing.length === 0) return;
  const command = `apt-get ${INSTALL.join(' ')} ${missing.join(' ')}`;
  if (!mayInstall) {
    throw new Error(
      `No Docker answers, and ${missing.join(' and ')} cannot be run. On Debian: apt-get update && ${command}, or ` +
        'npm run test:containers -- --install, which does that.',
    );
  }
  process.stdout.write(`${command} ...\n`);
  await run('apt-get', ['update', '-q']);
  await run('apt-get', [...INSTALL, ...missing], { environment: { DEBIAN_FRONTEND: 'noninteractive' } });
}
