import { fileURLToPath } from 'node:url';
import type { ServiceDefinition } from '@grpc/grpc-js';
import { loadSync, type Options, type PackageDefinition } from '@grpc/proto-loader';
import { SERVICE_NAME } from './service.ts';

/**
 * How messages look as objects: names as in the schema, every field there, numbers of 64 bits as JavaScript's, which are
 * exact up to 2^53, and no tensor that a model here takes has larger ones.
 */
const FORM: Options = { keepCase: true, longs: Number, enums: String, defaults: true, oneofs: true };

/** Reads `inference.proto`: every message and the service, for a server, a client or reflection. */
export function loadSchema(): PackageDefinition {
  return loadSync(fileURLToPath(new URL('./inference.proto', import.meta.url)), FORM);
}

/** The service in a schema. */
export function serviceIn(schema: PackageDefinition): ServiceDefinition {
  return schema[SERVICE_NAME] as ServiceDefinition;
}
