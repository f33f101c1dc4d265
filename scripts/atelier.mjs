#!/usr/bin/env node
// The command line `atelier`: installs what is missing, then hands over to TypeScript, as a bundle.
import { dirname } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ensureInstalled } from './ensure-installed.mjs';

ensureInstalled(dirname(dirname(fileURLToPath(import.meta.url))));
const { register } = await import('tsx/esm/api');
const unregister = register();
const { program } = await import('./src/programs.ts');
const path = await program('commands');
await unregister(); // all that the bundle loads from packages would go through tsx, too
/** @type {unknown} */
const bundle = await import(pathToFileURL(path).href);
await /** @type {typeof import('./src/main.ts')} */ (bundle).main(process.argv.slice(2));
