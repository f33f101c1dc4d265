import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Container } from 'kubernetes-models/v1/Container';
import ts from 'typescript';
import type { Manifest } from './manifests.ts';

interface Model {
  validate(): void;
}

const require = createRequire(import.meta.url);
const PACKAGE = dirname(require.resolve('kubernetes-models/package.json'));

/** As `apps/v1/Deployment`, and `v1/Service` for what has no group. */
const pathOf = ({ apiVersion, kind }: Manifest) => `${apiVersion}/${kind}`;

/**
 * What is wrong with objects by Kubernetes' own OpenAPI schemas, as the package kubernetes-models has them; for kinds of KServe
 * by the fields of `kserve.ts`, and by the schema of a container. Those schemas take fields that they do not know, so that a
 * misspelt one would pass; the types that come with them do not, and TypeScript is asked as well.
 */
export async function faultsOf(manifests: readonly Manifest[]): Promise<string[]> {
  const faults: string[] = [];
  for (const manifest of manifests) {
    try {
      (await modelsOf(manifest)).forEach((model) => model.validate());
    } catch (error) {
      faults.push(`${manifest.kind} ${manifest.metadata.name}: ${(error as Error).message}`);
    }
  }
  return [...faults, ...unknownFieldsOf(manifests)];
}

async function modelsOf(manifest: Manifest): Promise<Model[]> {
  if (isOfKserve(manifest)) {
    const { containers = [] } = (manifest as { spec?: { containers?: Container[] } }).spec ?? {};
    return containers.map((container) => new Container(container));
  }
  if (!existsSync(join(PACKAGE, `${pathOf(manifest)}.mjs`))) throw new Error(`${pathOf(manifest)} is no kind`);
  const models = (await import(`kubernetes-models/${pathOf(manifest)}`)) as Record<string, new (of: object) => Model>;
  const Kind = models[manifest.kind];
  if (Kind === undefined) throw new Error(`${pathOf(manifest)} is no kind`);
  return [new Kind(manifest)];
}

function isOfKserve({ apiVersion }: Manifest): boolean {
  return apiVersion.startsWith('serving.kserve.io/');
}

/** A file of TypeScript that is nowhere but here: every object as a literal, which its type must know every field of. */
function unknownFieldsOf(manifests: readonly Manifest[]): string[] {
  const kinds = new Map(manifests.map((manifest) => [pathOf(manifest), manifest]));
  const names = [...kinds.keys()].map((path, index) => [path, `Kind${index}`] as const);
  const imports = names.map(([path, name]) => {
    const { kind = '' } = kinds.get(path) ?? {};
    return path.startsWith('serving.kserve.io/')
      ? `import type { ${kind} as ${name} } from './kserve.ts';`
      : `import type { I${kind} as ${name} } from 'kubernetes-models/${path}';`;
  });
  const lines = manifests.map((manifest) => {
    const [, name = ''] = names.find(([path]) => path === pathOf(manifest)) ?? [];
    return `export const _${manifests.indexOf(manifest)} = ${JSON.stringify(manifest)} satisfies ${name};`;
  });
  const file = join(dirname(fileURLToPath(import.meta.url)), 'manifests-as-literals.ts');
  const text = [...imports, ...lines].join('\n');
  const options: ts.CompilerOptions = {
    ...{ strict: true, noEmit: true, skipLibCheck: true, types: [], allowImportingTsExtensions: true },
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
  };
  const disk = ts.createCompilerHost(options);
  const host: ts.CompilerHost = {
    ...disk,
    fileExists: (path) => path === file || disk.fileExists(path),
    getSourceFile: (path, ...rest) =>
      path === file ? ts.createSourceFile(path, text, ts.ScriptTarget.ES2023) : disk.getSourceFile(path, ...rest),
  };
  const program = ts.createProgram([file], options, host);
  return ts.getPreEmitDiagnostics(program).map(({ messageText, start = 0 }) => {
    const manifest = manifests[text.slice(0, start).split('\n').length - 1 - imports.length];
    const message = ts.flattenDiagnosticMessageText(messageText, ' ');
    return `${manifest?.kind} ${manifest?.metadata.name}: ${message}`;
  });
}
