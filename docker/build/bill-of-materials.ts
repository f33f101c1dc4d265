import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The parts of CycloneDX that are read here; npm refers to a package as `name@version`. */
interface CycloneDx {
  metadata: { component: { 'bom-ref': string } };
  components: { 'bom-ref': string; [detail: string]: unknown }[];
  dependencies: { ref: string; dependsOn?: string[] }[];
}

/** In bytes. */
const LARGEST = 64 * 1024 * 1024;

/**
 * The bill of materials of an image in CycloneDX: of what npm tells of the lockfile, the packages in `folders`, and those
 * that no lockfile knows. npm alone would list what is installed on other systems and what the build needed, and with
 * --omit=dev leaves out what both the service and a development tool depend on (npm 10.9 and 11.19).
 */
export function billOfMaterials(root: string, folders: readonly string[]): string {
  const words = ['sbom', '--package-lock-only', '--sbom-format=cyclonedx'];
  const whole = JSON.parse(
    execFileSync('npm', words, { cwd: root, encoding: 'utf8', maxBuffer: LARGEST }),
  ) as CycloneDx;
  return `${JSON.stringify(narrowed(whole, folders.map(packageIn)), null, 2)}\n`;
}

/** A bill with the packages in `kept` alone, and with those that it did not list. */
export function narrowed(whole: CycloneDx, kept: readonly PackageFacts[]): CycloneDx {
  const references = new Set(kept.map(({ name, version }) => `${name}@${version}`));
  const listed = whole.components.filter((component) => references.delete(component['bom-ref']));
  const unlisted = kept.filter(({ name, version }) => references.delete(`${name}@${version}`)).map(asComponent);
  const components = [...listed, ...unlisted];
  const known = new Set(components.map((component) => component['bom-ref']));
  const dependencies = whole.dependencies
    .filter(({ ref }) => known.has(ref) || ref === whole.metadata.component['bom-ref'])
    .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((other) => known.has(other)) }));
  return { ...whole, components, dependencies };
}

/** What of a package's own file goes into a bill. */
export interface PackageFacts {
  name: string;
  version: string;
  license?: string;
}

function packageIn(folder: string): PackageFacts {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as PackageFacts;
}

function asComponent({ name, version, license }: PackageFacts): CycloneDx['components'][number] {
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`;
  const licenses = license === undefined ? [] : [{ license: { name: license } }];
  return { 'bom-ref': `${name}@${version}`, type: 'library', name, version, purl, licenses };
}
