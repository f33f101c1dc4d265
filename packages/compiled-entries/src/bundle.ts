import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Plugin } from 'esbuild';

export interface Bundling {
  /** Paths of the modules to start with by name; each becomes `<name>.mjs`. */
  modules: Readonly<Record<string, string>>;
  /** Packages that stay outside. */
  external: RegExp;
  /** Modules that shall take the place of the bundle for their own; all others know where their source lies. */
  moved?: RegExp;
}

export interface Bundle {
  files: readonly BundledFile[];
  /** Paths of all files that went into it. */
  sources: readonly string[];
}

export interface BundledFile {
  name: string;
  contents: Uint8Array;
}

/** Bundles modules, and what they import only when they need it into files of its own. One after the other: see `last`. */
export function bundle(bundling: Bundling): Promise<Bundle> {
  const bundled = last.then(() => bundleNow(bundling));
  last = bundled.catch(() => undefined);
  return bundled;
}

/** The end of the bundler would leave another bundle of this process waiting for ever. */
let last: Promise<unknown> = Promise.resolve();

async function bundleNow({ modules, external, moved = NONE }: Bundling): Promise<Bundle> {
  const esbuild = await import('esbuild');
  const { outputFiles, metafile } = await esbuild.build({
    entryPoints: { ...modules },
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    conditions: [], // those of Node alone, so that a package is not loaded a second time from another of its files
    outdir: 'compiled',
    outExtension: { '.js': '.mjs' },
    // Libraries in CommonJS ask for parts of Node by `require`.
    banner: {
      js: `import { createRequire as __createRequire } from 'node:module';\nconst require = __createRequire(import.meta.url);`,
    },
    plugins: [staysOutside(external), knowsItsPlace(moved)],
    write: false,
    metafile: true,
  });
  await esbuild.stop();
  return {
    files: outputFiles.map(({ path, contents }) => ({ name: path.replace(/^.*[\\/]/, ''), contents })),
    sources: Object.keys(metafile.inputs).map((path) => resolve(path)),
  };
}

const NONE = /(?!)/;

/** Says that we are asking ourselves. */
const FOUND = Symbol('found');

/** Found where it is installed for whoever imports it, wherever the bundle lies. */
function staysOutside(packages: RegExp): Plugin {
  return {
    name: 'stays outside',
    setup(build) {
      build.onResolve({ filter: packages }, async ({ path: name, resolveDir, kind, pluginData }) => {
        if (pluginData === FOUND) return undefined;
        const { path, errors } = await build.resolve(name, { resolveDir, kind, pluginData: FOUND });
        // What is not installed is missed by who asks for it, where and when it does.
        return { path: errors.length > 0 ? name : pathToFileURL(path).href, external: true };
      });
    },
  };
}

/** Files that our modules read lie beside the module and not beside the bundle. */
function knowsItsPlace(moved: RegExp): Plugin {
  return {
    name: 'knows its place',
    setup(build) {
      build.onLoad(
        { filter: /((packages|services)[\\/][^\\/]+[\\/]src|scripts[\\/](src|bench))[\\/].*\.ts$/ },
        async ({ path }) => {
          if (moved.test(path)) return undefined;
          const text = await readFile(path, 'utf8');
          const url = JSON.stringify(pathToFileURL(path).href);
          return { contents: text.replaceAll(/\bimport\.meta\.url\b/g, url), loader: 'ts' };
        },
      );
    },
  };
}
