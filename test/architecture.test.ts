import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Who may import which of our own packages. What is not listed is not allowed. */
const EDGES: Record<string, readonly string[]> = {
  'packages/domain': [],
  'packages/compiled-entries': [],
  'packages/doctor': ['domain'],
  'packages/onnx': ['domain'],
  'packages/http': ['domain'],
  'packages/tfjs-to-onnx': ['domain', 'onnx'],
  'packages/onnx-to-tfjs': ['domain', 'onnx', 'tfjs-to-onnx'],
  'packages/onnx-training': ['domain', 'onnx'],
  'packages/fashion-mnist': ['domain'],
  'packages/model-repository': ['domain'],
  'packages/pictures': [],
  'packages/reports': ['domain', 'pictures'],
  'packages/evaluation': ['domain', 'pictures', 'reports'],
  'services/trainer': [
    'compiled-entries',
    'doctor',
    'domain',
    'http',
    'onnx',
    'onnx-to-tfjs',
    'onnx-training',
    'tfjs-to-onnx',
    'fashion-mnist',
    'model-repository',
    'pictures',
    'reports',
  ],
  'services/inference': [
    'compiled-entries',
    'doctor',
    'domain',
    'evaluation',
    'fashion-mnist',
    'http',
    'model-repository',
    'onnx',
    'onnx-training',
    'pictures',
  ],
  scripts: [
    'compiled-entries',
    'doctor',
    'domain',
    'http',
    'onnx',
    'onnx-training',
    'onnx-to-tfjs',
    'tfjs-to-onnx',
    'fashion-mnist',
    'model-repository',
    'reports',
    'evaluation',
    'trainer',
    'inference',
  ],
};

/** Libraries that only these places know; everything else speaks to a port. */
const HOMES: Record<string, readonly string[]> = {
  '@tensorflow/': ['services/trainer/src/engines/tfjs/', 'scripts/src/verification/', 'scripts/bench/'],
  'onnxruntime-node': [
    'services/trainer/src/engines/onnx/',
    'services/trainer/src/export/onnx-model.ts',
    'services/inference/src/compute/',
    'scripts/src/verification/',
    'scripts/bench/',
  ],
  esbuild: ['packages/compiled-entries/src/', 'scripts/bundled-tests.mjs'],
  sharp: ['services/inference/src/image/', 'scripts/bench/serving/', 'scripts/src/photos/'],
  'fast-png': ['packages/pictures/src/'],
  fflate: ['scripts/bench/serving/evaluation/'],
  '@resvg/resvg-js': ['services/trainer/src/report/pictures/', 'scripts/src/trust/drawing/'],
  vega: ['packages/reports/src/charts/'],
  'vega-lite': ['packages/reports/src/charts/'],
  express: [
    'packages/http/src/',
    'services/trainer/src/app.ts',
    'services/trainer/src/routes/',
    'services/inference/src/app.ts',
    'services/inference/src/open-inference/rest/',
    'services/inference/src/routes/',
    'scripts/bench/serving/hand-written-server.ts',
  ],
  'prom-client': [
    'packages/http/src/metrics.ts',
    'packages/http/src/collected-metrics.ts',
    'services/trainer/src/supervision/run-metrics.ts',
    'services/inference/src/observability/',
  ],
  helmet: ['packages/http/src/secure-headers.ts'],
  'swagger-ui-dist': ['packages/http/src/openapi/'],
  'zod-openapi': ['packages/http/src/openapi/'],
  busboy: ['services/inference/src/routes/'],
  yauzl: ['services/inference/src/evaluation/sources/zip/'],
  '@bufbuild/protobuf': ['packages/onnx/src/', 'services/inference/src/grpc/'],
  '@grpc/': ['services/inference/src/grpc/'],
  'grpc-health-check': ['services/inference/src/grpc/'],
  bullmq: ['services/trainer/src/queue/'],
  ioredis: ['services/trainer/src/queue/'],
};

/**
 * Files that may read the environment; all others are handed what they need. Setting the runtime's own switch before it
 * loads is not reading. Benchmarks and the compute process's parent hand it on to the programs that they start.
 */
const READ_ENVIRONMENT =
  /(^|\/)((main|worker)\.ts|[^/]+\.mjs)$|^scripts\/src\/commands\/(doctor|serve)\.ts$|^scripts\/src\/setup\/run-program\.ts$|^scripts\/bench\/((search|trainer)\/variants|serving\/(server-process|evaluation\/decoding-loops))\.ts$|^services\/inference\/src\/compute\/compute-process\.ts$/;

const workspaces = Object.keys(EDGES);
const files = workspaces.flatMap((workspace) => sourceFiles(workspace).map((file) => ({ workspace, file })));

describe('architecture', () => {
  test('every workspace is listed here', () => {
    const found = ['packages', 'services'].flatMap((folder) =>
      readdirSync(join(root, folder)).map((name) => `${folder}/${name}`),
    );
    assert.deepEqual([...found, 'scripts'].sort(), [...workspaces].sort());
    assert.ok(files.length > 50, `only ${files.length} source files were found`);
  });

  test('our packages are imported along the listed edges only, and never by a deep path', () => {
    const offences = eachImport(({ workspace, specifier }) => {
      const [, name, rest] = /^@atelier\/([^/]+)(\/.*)?$/.exec(specifier) ?? [];
      if (name === undefined) return null;
      if (!EDGES[workspace]?.includes(name)) return `${workspace} may not know @atelier/${name}`;
      return rest === undefined || /^@atelier\/(tfjs-to-onnx|onnx-to-tfjs)\/node$/.test(specifier)
        ? null
        : `${specifier} is a deep path`;
    });
    assert.deepEqual(offences, []);
  });

  test('a relative import stays inside its workspace', () => {
    const offences = eachImport(({ workspace, file, specifier }) => {
      if (!specifier.startsWith('.')) return null;
      const target = relative(root, join(root, dirname(file), specifier));
      return target.startsWith(`${workspace}/`) ? null : `it leaves ${workspace}`;
    });
    assert.deepEqual(offences, []);
  });

  test('each library with a home is imported there only', () => {
    const offences = eachImport(({ file, specifier }) => {
      const [library, homes] = Object.entries(HOMES).find(([name]) => matches(specifier, name)) ?? [];
      if (homes === undefined || homes.some((home) => file.startsWith(home))) return null;
      return `${library} belongs in ${homes.join(', ')}`;
    });
    assert.deepEqual(offences, []);
  });

  test('vega is loaded when the first chart is drawn: whoever answers without a chart does not wait for it', () => {
    const statements = files.flatMap(({ file }) =>
      [...codeOf(file).matchAll(/^(?:import|export)\s(?!type\s).*?'(vega|vega-lite)'/gm)].map(
        ([text]) => `${file}: ${text}`,
      ),
    );
    assert.deepEqual(statements, []);
  });

  test('what a workspace imports stands in its package.json, and what stands there is imported', () => {
    for (const workspace of workspaces) {
      const { dependencies = {} } = JSON.parse(readFileSync(join(root, workspace, 'package.json'), 'utf8')) as {
        dependencies?: Record<string, string>;
      };
      const imported = new Set(
        files
          .filter((entry) => entry.workspace === workspace)
          .flatMap(({ file }) => importsOf(file))
          .filter((specifier) => !specifier.startsWith('.') && !specifier.startsWith('node:'))
          .map((specifier) =>
            specifier
              .split('/')
              .slice(0, specifier.startsWith('@') ? 2 : 1)
              .join('/'),
          ),
      );
      const peers = new Set([...imported].flatMap(peersOf));
      const declared = Object.keys(dependencies).filter((name) => imported.has(name) || !peers.has(name));
      assert.deepEqual([...imported].sort(), declared.sort(), workspace);
    }
  });

  test('the environment is read at the edges only', () => {
    const readers = files
      .map(({ file }) => file)
      .filter((file) =>
        /process\.env(?!\['(ORT_DISABLE_TELEMETRY'\] = |NVIDIA_TF32_OVERRIDE'\] \?\?= ))/.test(codeOf(file)),
      )
      .filter((file) => !READ_ENVIRONMENT.test(file));
    assert.deepEqual(readers, []);
  });
});

/** What a package wants installed beside it. */
function peersOf(name: string): string[] {
  const file = join(root, 'node_modules', name, 'package.json');
  const { peerDependencies = {} } = JSON.parse(readFileSync(file, 'utf8')) as { peerDependencies?: object };
  return Object.keys(peerDependencies);
}

function eachImport(fault: (found: { workspace: string; file: string; specifier: string }) => string | null): string[] {
  return files.flatMap(({ workspace, file }) =>
    importsOf(file).flatMap((specifier) => {
      const reason = fault({ workspace, file, specifier });
      return reason === null ? [] : [`${file} imports ${specifier}: ${reason}`];
    }),
  );
}

/** A file without its comments. */
function codeOf(file: string): string {
  return readFileSync(join(root, file), 'utf8').replace(/\/\*[^]*?\*\/|(?<=^|\s)\/\/.*$/gm, '');
}

function matches(specifier: string, library: string): boolean {
  return specifier === library || specifier.startsWith(library.endsWith('/') ? library : `${library}/`);
}

function importsOf(file: string): string[] {
  const pattern =
    /(?:^|\n)(?:import|export)\s(?:[^'";]*?\sfrom\s)?'([^']+)'|\b(?:import|import\.meta\.resolve)\(\s*'([^']+)'/g;
  return [...codeOf(file).matchAll(pattern)].map(([, statement, call]) => statement ?? call ?? '');
}

function sourceFiles(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    // Examples use a package as a stranger does.
    if (entry.isDirectory()) return /^(node_modules|examples)$/.test(entry.name) ? [] : sourceFiles(path);
    return /(?<!\.d)\.(ts|mjs|js)$/.test(entry.name) ? [path] : [];
  });
}
