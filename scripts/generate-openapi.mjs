// `npm run generate:openapi`: writes docs/openapi-trainer.json anew, and what docs/trainer-api.md and the trainer's README
// take from the code.
import { readFileSync, writeFileSync } from 'node:fs';
import { register } from 'tsx/esm/api';

register();
const { trainerDocument, withTrainerApi, withTrainerSettings } = await import('./src/trainer-pages.ts');
writeFileSync(new URL('../docs/openapi-trainer.json', import.meta.url), trainerDocument());
const api = new URL('../docs/trainer-api.md', import.meta.url);
writeFileSync(api, withTrainerApi(readFileSync(api, 'utf8')));
const readme = new URL('../services/trainer/README.md', import.meta.url);
writeFileSync(readme, withTrainerSettings(readFileSync(readme, 'utf8')));
