import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describeIssues, DomainError, messageOf, ModelName } from '@atelier/domain';
import { z } from 'zod';
import { LABELS_FILE, MAXIMUM_VERSION, versionNumbers } from './repository.ts';
import { replaceSynced } from './write-synced.ts';

/** Three numbers take less than a hundred bytes. */
const MAXIMUM_LABELS_BYTES = 64 * 1024;

const VersionNumber = z.int().positive().max(MAXIMUM_VERSION);

/** What operators say of a model's versions. */
export const Labels = z.strictObject({
  stable: VersionNumber.nullable()
    .default(null)
    .describe('The version that answers; null: the newest usable one that is not the canary'),
  canary: VersionNumber.nullable().default(null).describe('The version that is tried on a share of the requests'),
  previous: VersionNumber.nullable().default(null).describe('What was stable before, for a rollback'),
});
export type Labels = z.infer<typeof Labels>;

export const NO_LABELS: Labels = Object.freeze({ stable: null, canary: null, previous: null });

/** Where the labels of a model lie. */
export function labelsPath(root: string, name: string): string {
  return join(root, ModelName.parse(name), LABELS_FILE);
}

/** The labels of a model, none where it has no such file; `invalid-labels` says what is wrong with one. */
export async function readLabels(root: string, name: string): Promise<Labels> {
  const path = labelsPath(root, name);
  let text: string;
  try {
    const found = await stat(path);
    if (!found.isFile()) throw new Error('it is no file');
    if (found.size > MAXIMUM_LABELS_BYTES)
      throw new Error(`it has ${found.size} bytes; at most ${MAXIMUM_LABELS_BYTES} are read`);
    text = await readFile(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return NO_LABELS;
    throw new DomainError('invalid-labels', `${path} cannot be read: ${messageOf(cause)}`, { cause });
  }
  return parseLabels(text, path);
}

/**
 * Writes the labels of a model, synced and in one step; `model-not-found` where a version that they name is not there,
 * `invalid-labels` where one version is to be both, `disk-full` or `repository-not-writable` where it cannot write. Of two
 * writers at once the later one wins.
 */
export async function writeLabels(root: string, name: string, labels: Labels): Promise<Labels> {
  const numbers = await versionNumbers(root, name);
  for (const label of ['stable', 'canary'] as const) requireVersion(name, labels[label], numbers);
  if (labels.stable !== null && labels.stable === labels.canary) {
    throw new DomainError(
      'invalid-labels',
      `Version ${labels.stable} cannot be stable and canary; give the canary another version or none.`,
    );
  }
  await replaceSynced(labelsPath(root, name), `${JSON.stringify(Labels.parse(labels), null, 2)}\n`);
  return labels;
}

function requireVersion(name: string, version: number | null, numbers: readonly number[]): void {
  if (version === null || numbers.includes(version)) return;
  const present = numbers.map((number) => `${name}/${number}`).join(', ') || 'none';
  throw new DomainError('model-not-found', `No version ${version} of "${name}"; there is: ${present}.`);
}

function parseLabels(text: string, path: string): Labels {
  let source: unknown;
  try {
    source = JSON.parse(text);
  } catch (cause) {
    throw new DomainError('invalid-labels', `${path} is not JSON: ${messageOf(cause)}`, { cause });
  }
  const parsed = Labels.safeParse(source);
  if (parsed.success) return parsed.data;
  throw new DomainError('invalid-labels', `${path} is no valid file of labels: ${describeIssues(parsed.error)}`, {
    cause: parsed.error,
  });
}
