// `npm run check`: format, lint, types and the fast tests, in one word and under a minute.
import { ensureInstalled } from './ensure-installed.mjs';
import { root, runSteps, staticSteps, testStep } from './steps.mjs';

ensureInstalled(root);
runSteps([...staticSteps, testStep(['test/architecture.test.ts', 'test/unit', 'test/contract', 'test/http'])]);
