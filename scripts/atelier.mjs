#!/usr/bin/env node
// The command line `atelier`: installs what is missing, then hands over to TypeScript.
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureInstalled } from './ensure-installed.mjs';

ensureInstalled(dirname(dirname(fileURLToPath(import.meta.url))));
const { register } = await import('tsx/esm/api');
register();
const { main } = await import('./src/main.ts');
await main(process.argv.slice(2));
