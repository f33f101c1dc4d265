import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import type { ServiceName } from '../../docker/build/services.ts';
import { nativeLibraryFaults } from '../../docker/build/native-libraries.ts';
import type { ContainerEngine, Image } from './engine/engine.ts';
import { npmSecrets, tellingWords } from './engine/npm-settings.ts';
import { root } from './engine/sources.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { filesOf, filesWith, type ImageFile, isWritableBy } from './image-files.ts';

const USER = 10_001;

/** Writable for everybody in every Debian, and covered or read-only in a container. */
const SHARED = ['/tmp', '/var/tmp', '/run/lock'];

export interface ImageExpectations {
  service: ServiceName;
  /** Unpacked, in bytes. */
  largest: number;
  /** Folders that the user may write to. */
  writable: readonly string[];
}

/** What is true of every image, whatever is in it. */
export function describeImage(engine: ContainerEngine, { service, largest, writable }: ImageExpectations): void {
  describe(`the files of atelier-${service}`, () => {
    let image: Image;
    let files: ImageFile[];
    const pathsOf = (pattern: RegExp) => files.map(({ path }) => path).filter((path) => pattern.test(path));
    before(async () => {
      image = await engine.image(service);
      files = filesOf(image.root);
      assert.ok(files.length > 1_000, `only ${files.length} files`);
    });

    test(`are ${largest / 1_000_000} MB at most`, (context) => {
      const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
      context.diagnostic(`${(bytes / 1_000_000).toFixed(1)} MB`);
      assert.ok(bytes <= largest, `${bytes} bytes`);
    });

    test('hold no compiler, no bundler, no package manager and no source in TypeScript', () => {
      const names = 'npm|npx|yarn|corepack|typescript|tsx|esbuild|@esbuild|eslint|prettier|playwright-core';
      assert.deepEqual(pathsOf(new RegExp(`/(node_modules|bin)/(${names})$`)), []);
      assert.deepEqual(pathsOf(/\.[cm]?tsx?$/), []);
    });

    test('are of packages that their bill of materials lists, and of no development dependency', () => {
      const bill = JSON.parse(readFileSync(join(image.root, 'app/sbom.cdx.json'), 'utf8')) as {
        components: { 'bom-ref': string }[];
      };
      const listed = new Set(bill.components.map((component) => component['bom-ref']));
      const found = pathsOf(/\/node_modules\/(@[^/]+\/)?[^/@]+\/package\.json$/).map((path) => packageAt(image, path));
      assert.ok(found.length >= 5);
      assert.deepEqual(
        found.filter((name) => !listed.has(name)),
        [],
      );
      const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
        devDependencies: Record<string, string>;
      };
      const installed = found.map((name) => name.slice(0, name.lastIndexOf('@')));
      // What a service needs as well is no development dependency of it.
      const developing = Object.keys(devDependencies).filter((name) => name !== 'pure-rand');
      assert.deepEqual(
        developing.filter((name) => installed.includes(name)),
        [],
      );
    });

    test('hold the native libraries of this system alone', () => {
      assert.deepEqual(nativeLibraryFaults('cpu', join(image.root, 'app')), []);
      assert.deepEqual(pathsOf(/\.(dylib|dll|lib|exe)$|\/(darwin|win32|linuxmusl)[-/]/), []);
    });

    test('hold no data set, no settings of npm, no key and nothing of how the registry was reached', async () => {
      assert.deepEqual(pathsOf(/(-ubyte|\.csv)(\.gz)?$|\/\.(npmrc|env.*|git)$|\.(pem|key)$|\/\.npm$/), []);
      const folder = await temporaryFolder();
      const { npmrc = '' } = await npmSecrets(folder.path);
      const words = tellingWords(readFileSync(npmrc, 'utf8'));
      await folder.remove();
      assert.deepEqual(filesWith(words, image.root, files), []);
    });

    test(`can be written to by their user in ${['/tmp', ...writable].join(', ')} alone, and none gives rights`, () => {
      const open = files.filter((file) => isWritableBy(USER, file)).map(({ path }) => path);
      const allowed = [...SHARED, ...writable];
      assert.deepEqual(
        open.filter((path) => !allowed.some((folder) => path === folder || path.startsWith(`${folder}/`))),
        [],
      );
      assert.deepEqual(
        files.filter(({ isFolder, mode }) => !isFolder && (mode & 0o6000) !== 0).map(({ path }) => path),
        [],
      );
    });

    test('can all be read by their user', () => {
      const own = files.filter(({ path }) => /^\/(app|models)(\/|$)/.test(path));
      assert.deepEqual(
        own.filter(({ mode, isFolder }) => (mode & 0o004) === 0 || (isFolder && (mode & 0o001) === 0)),
        [],
      );
    });

    test('hold a version of a model', () => {
      const files = pathsOf(/^\/models\/fashion-mlp\/\d+\/(model\.onnx|manifest\.json)$/);
      assert.ok(files.length >= 2, files.join(' '));
    });

    test('come with what a runtime is told', () => {
      const { User, Env, Entrypoint, Healthcheck, Labels } = image.config;
      assert.equal(User, `${USER}:${USER}`);
      assert.ok(Env.includes('ORT_DISABLE_TELEMETRY=1'));
      assert.deepEqual(Entrypoint, ['/usr/local/bin/node']);
      assert.deepEqual(Healthcheck.Test.slice(0, 3), ['CMD', '/usr/local/bin/node', '/app/healthcheck.mjs']);
      assert.equal(Labels['org.opencontainers.image.title'], `atelier-${service}`);
      assert.equal(Labels['org.opencontainers.image.licenses'], 'MIT');
    });
  });
}

function packageAt(image: Image, path: string): string {
  const { name, version } = JSON.parse(readFileSync(join(image.root, path), 'utf8')) as Record<string, string>;
  return `${name}@${version}`;
}
