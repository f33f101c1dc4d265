// `npm run generate:openapi`: of each service writes docs/openapi-*.json anew, and what docs/*-api.md and its README take
// from the code.
import { readFileSync, writeFileSync } from 'node:fs';
import { register } from 'tsx/esm/api';

register();
const trainer = await import('./src/trainer-pages.ts');
const inference = await import('./src/inference-pages.ts');

writeFileSync(placeOf('docs/openapi-trainer.json'), trainer.trainerDocument());
rewrite('docs/trainer-api.md', trainer.withTrainerApi);
rewrite('services/trainer/README.md', trainer.withTrainerSettings);
writeFileSync(placeOf('docs/openapi-inference.json'), inference.inferenceDocument());
rewrite('docs/inference-api.md', inference.withInferenceApi);
rewrite('services/inference/README.md', inference.withInferenceSettings);

/** @param {string} path */
function placeOf(path) {
  return new URL(`../${path}`, import.meta.url);
}

/**
 * @param {string} path
 * @param {(document: string) => string} change
 */
function rewrite(path, change) {
  writeFileSync(placeOf(path), change(readFileSync(placeOf(path), 'utf8')));
}
