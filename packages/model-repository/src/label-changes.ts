import { DomainError } from '@atelier/domain';
import { type Labels, NO_LABELS, readLabels, writeLabels } from './labels.ts';
import { versionNumbers } from './repository.ts';

/** New labels by name; one that is left out stays as it is, null takes it away. */
export interface LabelChange {
  stable?: number | null;
  canary?: number | null;
}

/**
 * Moves labels. What becomes stable is no canary any more; what was stable is what a rollback goes back to. `answering` is
 * who answers where no label says so, in this and the functions below; default: the newest version.
 */
export async function changeLabels(
  root: string,
  name: string,
  change: LabelChange,
  answering: number | null = null,
): Promise<Labels> {
  return writeLabels(root, name, await changed(root, name, await readLabels(root, name), change, answering));
}

/** The same with both labels given, which mends a file that cannot be read. */
export async function replaceLabels(
  root: string,
  name: string,
  change: Required<LabelChange>,
  answering: number | null = null,
): Promise<Labels> {
  const before = await readLabels(root, name).catch(() => NO_LABELS);
  return writeLabels(root, name, await changed(root, name, before, change, answering));
}

/** Makes the canary stable; `model-not-found` where there is none. */
export async function promoteCanary(root: string, name: string): Promise<Labels> {
  const { canary } = await readLabels(root, name);
  if (canary !== null) return changeLabels(root, name, { stable: canary, canary: null });
  throw new DomainError('model-not-found', `"${name}" has no canary that could become stable.`);
}

/**
 * Goes back to what was stable before, and where that is not known or gone to the version below; `model-not-found` where
 * there is none. A second rollback takes the first one back.
 */
export async function rollBack(root: string, name: string, answering: number | null = null): Promise<Labels> {
  const labels = await readLabels(root, name);
  const numbers = await versionNumbers(root, name);
  const from = labels.stable ?? answering ?? newestBeside(labels.canary, numbers);
  const { previous } = labels;
  const known = previous !== null && previous !== from && numbers.includes(previous) ? previous : undefined;
  const target = known ?? numbers.findLast((number) => from !== null && number < from);
  if (target === undefined) {
    throw new DomainError(
      'model-not-found',
      `There is no version of "${name}" before ${from ?? 'the first'} to go back to.`,
    );
  }
  const canary = labels.canary === target ? null : labels.canary;
  return writeLabels(root, name, { stable: target, canary, previous: from });
}

async function changed(
  root: string,
  name: string,
  before: Labels,
  change: LabelChange,
  answering: number | null,
): Promise<Labels> {
  const after = { ...before, ...change };
  // A label that moves onto the canary, and says nothing of the canary, promotes it.
  if (change.canary === undefined && after.stable === after.canary) after.canary = null;
  const from = before.stable ?? answering ?? newestBeside(before.canary, await versionNumbers(root, name));
  if (after.stable === before.stable || after.stable === from) return after;
  return { ...after, previous: from };
}

/** What a service serves without a label, as far as a folder can tell. */
function newestBeside(canary: number | null, numbers: readonly number[]): number | null {
  return numbers.findLast((number) => number !== canary) ?? null;
}
