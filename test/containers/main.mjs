// `npm run test:containers [-- --install]`: builds the images, runs them as containers, and tests them from outside.
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureInstalled } from '../../scripts/ensure-installed.mjs';
import { fetchDataset, runTests } from '../../scripts/steps.mjs';

ensureInstalled(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));
const { register } = await import('tsx/esm/api');
register();
await fetchDataset();
const { buildImages } = await import('./engine/build-images.ts');
try {
  await buildImages({ mayInstall: process.argv.includes('--install') });
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
await runTests(['test/containers/inference-image.ts', 'test/containers/trainer-image.ts']);
