import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Distillation, DomainError, messageOf } from '@atelier/domain';
import { digestOf } from '@atelier/model-repository';

/** Where teachers lie, `<name>.onnx` each, of the form of a published model. */
export const TEACHERS_DIRECTORY = fileURLToPath(new URL('../../teachers', import.meta.url));

/**
 * The teacher that a recipe names. `teacher-not-found` lists the ones there are, `digest-mismatch` says what the file has
 * instead of what the recipe expects.
 */
export async function readTeacher(
  { teacher, digest }: Distillation,
  directory = TEACHERS_DIRECTORY,
): Promise<Uint8Array> {
  const path = join(directory, `${teacher}.onnx`);
  const bytes = await readFile(path).catch(async (cause: unknown) => {
    const known = (await teachersIn(directory)).join(', ') || 'none';
    throw new DomainError('teacher-not-found', `${path}: ${messageOf(cause)} There is: ${known}.`, { cause });
  });
  const found = digestOf(bytes);
  if (found === digest) return bytes;
  throw new DomainError('digest-mismatch', `${path} has digest ${found}; the recipe expects ${digest}.`);
}

async function teachersIn(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch(() => []);
  return names.filter((name) => name.endsWith('.onnx')).map((name) => name.slice(0, -'.onnx'.length));
}
