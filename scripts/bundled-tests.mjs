// Test files as JavaScript: to load some hundred modules of TypeScript one by one takes a process longer than most tests.
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

/** Our own packages are bundled, and Node's modules are found anywhere. */
const INSIDE = /^(@atelier\/|node:)/;

/** Says that we are asking ourselves. */
const FOUND = Symbol('found');

/** @typedef {{ in: string, out: string }} Entry The path of a module, and what its bundle is called. */

/**
 * Bundles modules, and what several of them import into files of its own: `<out>.mjs`, which starts without tsx.
 * @param {readonly Entry[]} entries
 * @param {string} folder Where the bundles go; below the repository's, so that packages are found by name from there.
 */
export async function bundleTests(entries, folder) {
  await build({
    entryPoints: [...entries],
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    conditions: [], // those of Node alone
    sourcemap: 'linked', // so that a failure is told with its place in the source
    sourcesContent: false,
    logLevel: 'warning',
    define: { 'import.meta.url': '__url', 'import.meta.dirname': '__dirname' },
    plugins: [packagesStayOutside, modulesKnowTheirPlace],
  });
}

/** @type {import('esbuild').Plugin} */
const packagesStayOutside = {
  name: 'packages stay outside',
  setup(build) {
    build.onResolve({ filter: /^[^./]/ }, async ({ path: name, resolveDir, kind, pluginData }) => {
      if (pluginData === FOUND || kind === 'entry-point' || INSIDE.test(name)) return undefined;
      const { path, errors } = await build.resolve(name, { resolveDir, kind, pluginData: FOUND });
      // What is not installed is missed by who asks for it, when it does.
      return { path: errors.length > 0 ? name : pathToFileURL(path).href, external: true };
    });
  },
};

/** @type {import('esbuild').Plugin} */
const modulesKnowTheirPlace = {
  name: 'modules know their place',
  setup(build) {
    build.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      const place = [
        `__url = ${JSON.stringify(pathToFileURL(path).href)}`,
        `__dirname = ${JSON.stringify(dirname(path))}`,
      ];
      // On the first line, so that the numbers of the lines stay what they are.
      return { contents: `const ${place.join(', ')}; ${await readFile(path, 'utf8')}`, loader: 'ts' };
    });
  },
};
