// `npm run generate:layers`: writes the tables of layers and activations in the README anew.
import { readFileSync, writeFileSync } from 'node:fs';
import { withLayers } from './layer-tables.ts';

const readme = new URL('README.md', import.meta.url);
writeFileSync(readme, withLayers(readFileSync(readme, 'utf8')));
