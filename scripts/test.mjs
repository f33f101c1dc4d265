// `npm test [-- FILE...]`: everything that CI runs; with files or folders, only those tests.
import { ensureInstalled } from './ensure-installed.mjs';
import { root, runSteps, staticSteps, testStep } from './steps.mjs';

ensureInstalled(root);
const chosen = process.argv.slice(2);
runSteps(chosen.length > 0 ? [testStep(chosen)] : [...staticSteps, testStep(['test'])]);
