// node docker/build/main.ts SERVICE KIND TARGET: puts what an image holds into a folder, and checks it.
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { assemble } from './assemble.ts';
import { billOfMaterials } from './bill-of-materials.ts';
import { KINDS, nativeLibraryFaults } from './native-libraries.ts';
import { isServiceName, SERVICES } from './services.ts';

const [name, asked, place] = process.argv.slice(2);
const kind = KINDS.find((known) => known === asked);
if (!isServiceName(name) || kind === undefined || place === undefined) {
  process.stderr.write(`Usage: main.ts ${Object.keys(SERVICES).join('|')} ${KINDS.join('|')} TARGET\n`);
  process.exit(2);
}
const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
const target = resolve(place);
const packages = kind === 'tfjs-gpu' ? ['@tensorflow/tfjs-node-gpu'] : [];
const folders = await assemble(name, { root, target, packages });
writeFileSync(resolve(target, 'sbom.cdx.json'), billOfMaterials(root, folders));

const faults = nativeLibraryFaults(kind, target);
for (const fault of faults) process.stderr.write(`${fault}\n`);
process.exit(faults.length === 0 ? 0 : 1);
