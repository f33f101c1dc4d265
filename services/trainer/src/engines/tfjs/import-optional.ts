import { messageOf } from '@atelier/domain';

/** Imports a package that `npm ci` leaves out; one that is not there is an error that says only that. */
export async function importOptional(packageName: string): Promise<unknown> {
  try {
    return await import(packageName);
  } catch (error) {
    const missing = messageOf(error).includes(`Cannot find package '${packageName}'`);
    throw missing ? new Error('not installed') : error;
  }
}

/** Finds out that such a package is not there without loading anything: the same error. */
export function requireInstalled(packageName: string): void {
  try {
    import.meta.resolve(packageName);
  } catch {
    throw new Error('not installed');
  }
}

/** The URL of tfjs-node-gpu's module; throws where it is not installed. */
export function installedTfjsGpu(packageName = '@tensorflow/tfjs-node-gpu'): string {
  return import.meta.resolve(packageName);
}
