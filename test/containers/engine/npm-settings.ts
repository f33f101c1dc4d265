import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './program.ts';

/**
 * What a build needs to reach the registry that this machine's npm reaches, as files in `folder` by the names of their
 * secrets: the user's settings, keys included, with what the environment says of them, and the certificates to trust.
 */
export async function npmSecrets(folder: string): Promise<Record<string, string>> {
  const ask = async (key: string) => (await run('npm', ['config', 'get', key, '--silent'])).trim();
  const userConfig = await ask('userconfig');
  const own = existsSync(userConfig) ? readFileSync(userConfig, 'utf8') : '';
  const kept = own.split('\n').filter((line) => !/^\s*(registry|cafile|cache|prefix|nodedir)\s*=/.test(line));
  const settings = [...kept, `registry=${await ask('registry')}`];
  const secrets: Record<string, string> = { npmrc: join(folder, 'npmrc') };
  const certificates = [await ask('cafile'), process.env['NODE_EXTRA_CA_CERTS'] ?? ''].find((path) => existsSync(path));
  if (certificates !== undefined) {
    settings.push('cafile=/run/secrets/npm-ca');
    secrets['npm-ca'] = certificates;
  }
  writeFileSync(join(folder, 'npmrc'), `${settings.join('\n')}\n`, { mode: 0o600 });
  return secrets;
}

/** What of those settings no file of an image may hold: keys, and the names of registries other than npm's own. */
export function tellingWords(settings: string): string[] {
  return settings.split('\n').flatMap((line) => {
    const [, key = '', value = ''] = /^\s*([^=\s]+)\s*=\s*(\S+)/.exec(line) ?? [];
    if (/_(auth|authtoken|password)$/i.test(key)) return [value];
    if (!key.endsWith('registry') || value.includes('//registry.npmjs.org/')) return [];
    return [new URL(value).host];
  });
}
