import { DomainError, ModelName } from '@atelier/domain';
import { SERVICE_VERSION } from '../service-version.ts';

/** As Triton names its extensions, those of them that are here, over whatever it is asked. */
const EXTENSIONS = [
  'classification',
  'model_configuration',
  'model_repository',
  'model_repository(unload_dependents)',
  'parameters',
  'schedule_policy',
  'statistics',
] as const;

/** What the server says of itself, with the extensions of what carries the protocol. */
export function serverMetadata(...extensions: string[]) {
  return { name: 'atelier', version: SERVICE_VERSION, extensions: [...extensions, ...EXTENSIONS] };
}

/** Parameters of a load that bring a model along. */
const BROUGHT_ALONG = /^(config$|file:)/;

/**
 * `unsupported-feature` where a load brings configuration or files: these come into the repository by being published,
 * checked and named.
 */
export function refuseBroughtAlong(parameters: object): void {
  const key = Object.keys(parameters).find((name) => BROUGHT_ALONG.test(name));
  if (key === undefined) return;
  throw new DomainError(
    'unsupported-feature',
    `Parameter ${JSON.stringify(key.slice(0, 64))}: a model is loaded as it was published, and takes neither configuration nor files.`,
  );
}

/** A name becomes a folder: `model-not-found` for what can be none. */
export function requireModelName(name: string): string {
  if (ModelName.safeParse(name).success) return name;
  throw new DomainError('model-not-found', `${JSON.stringify(name.slice(0, 64))} can be no model's name.`);
}
