// `npm test [-- FILE...]`: everything that CI runs; with files or folders, only those tests.
import { ensureInstalled } from './ensure-installed.mjs';
import { checkStatically, fetchDataset, root, runTests, setUpWebgpu } from './steps.mjs';

ensureInstalled(root);
const chosen = process.argv.slice(2);
if (chosen.length === 0) {
  await checkStatically();
  await fetchDataset(); // once, before several tests want it at the same time
  await setUpWebgpu();
}
await runTests(chosen.length === 0 ? ['test'] : chosen);
