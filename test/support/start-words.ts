import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './programs.ts';

/**
 * What to give node to start a module of ours: its bundle, where `npm test` has made one, because a service takes a second of
 * a core less to start from it; else the module itself, through tsx.
 * @param module Relative to the repository's folder, such as `services/trainer/src/main.ts`.
 */
export function startWords(module: string): string[] {
  const bundle = join(process.env['TEST_BUNDLES'] ?? '', `${module.replace(/\.ts$/, '').replaceAll('/', '-')}.mjs`);
  return existsSync(bundle) ? ['--enable-source-maps', bundle] : ['--import', 'tsx', join(ROOT, module)];
}
