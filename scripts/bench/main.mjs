// `npm run bench -- NAME`: installs what is missing, then hands over to TypeScript, as a bundle.
import { dirname } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ensureInstalled } from '../ensure-installed.mjs';

ensureInstalled(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));
const { register } = await import('tsx/esm/api');
const unregister = register();
const { benchProgram } = await import('./programs.ts');
const program = await benchProgram('bench');
await unregister();
/** @type {unknown} */
const bundle = await import(pathToFileURL(program).href);
await /** @type {typeof import('./bench.ts')} */ (bundle).bench(process.argv.slice(2), process.env);
