import { InferenceConfig, inferenceApi, readConfig } from '@atelier/inference';
import { problemsTable, routesTable, settingsTable, withParts } from './service-pages.ts';

/** `docs/openapi-inference.json`. */
export function inferenceDocument(): string {
  return `${JSON.stringify(inferenceApi(), null, 2)}\n`;
}

/** `docs/inference-api.md` with its generated parts written anew; `RangeError` without their marks. */
export function withInferenceApi(document: string): string {
  const api = inferenceApi();
  return withParts(document, { routes: routesTable(api), problems: problemsTable(api) });
}

/** The inference service's README with the table of its settings written anew; `RangeError` without its marks. */
export function withInferenceSettings(readme: string): string {
  return withParts(readme, { settings: settingsTable(InferenceConfig, readConfig({})) });
}
