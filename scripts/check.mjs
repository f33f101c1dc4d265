// `npm run check`: format, lint, types and the fast tests, in one word and under a minute.
import { ensureInstalled } from './ensure-installed.mjs';
import { checkStatically, root, runTests } from './steps.mjs';

ensureInstalled(root);
await checkStatically();
await runTests(['test/architecture.test.ts', 'test/unit', 'test/contract', 'test/http']);
