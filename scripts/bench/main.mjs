// `npm run bench -- NAME`: installs what is missing, then hands over to TypeScript.
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureInstalled } from '../ensure-installed.mjs';

ensureInstalled(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));
const { register } = await import('tsx/esm/api');
register();
const { bench } = await import('./bench.ts');
await bench(process.argv.slice(2), process.env);
