import type { ModelReference } from '@atelier/domain';
import type { PublishedVersion } from '@atelier/model-repository';

/** What an answer says of the version that it comes from. */
export function referenceTo({ name, version, manifest }: PublishedVersion): ModelReference {
  return { name, version, digest: manifest.digest };
}
