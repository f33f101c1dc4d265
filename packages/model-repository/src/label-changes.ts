import { DomainError } from '@atelier/domain';
import { type Labels, NO_LABELS, readLabels, writeLabels } from './labels.ts';
import { versionNumbers } from './repository.ts';

/** New labels by name; one that is left out stays as it is, null takes it away. */
export interface LabelChange {
  stable?: number | null;
  canary?: number | null;
}

/** Moves labels. What becomes stable is no canary any more; what was stable is what a rollback goes back to. */
export async function changeLabels(root: string, name: string, change: LabelChange): Promise<Labels> {
  return writeLabels(root, name, await changed(root, name, await readLabels(root, name), change));
}

/** The same with both labels given, which mends a file that cannot be read. */
export async function replaceLabels(root: string, name: string, change: Required<LabelChange>): Promise<Labels> {
  const before = await readLabels(root, name).catch(() => NO_LABELS);
  return writeLabels(root, name, await changed(root, name, before, change));
}

/** Makes the canary stable; `model-not-found` where there is none. */
export async function promoteCanary(root: string, name: string): Promise<Labels> {
  const { canary } = await readLabels(root, name);
  if (canary !== null) return changeLabels(root, name, { stable: canary, canary: null });
  throw new DomainError('model-not-found', `"${name}" has no canary that could become stable.`);
}

/**
 * Goes back to what was stable before, and where that is not known or gone to the version below; `model-not-found` where
 * there is none. A second rollback takes the first one back. `stable` is what answers where no label says so; default: the
 * newest version.
 */
export async function rollBack(root: string, name: string, stable?: number): Promise<Labels> {
  const labels = await readLabels(root, name);
  const numbers = await versionNumbers(root, name);
  const from = labels.stable ?? stable ?? newestBeside(labels.canary, numbers);
  const { previous } = labels;
  const known = previous !== null && previous !== from && numbers.includes(previous) ? previous : undefined;
  const target = known ?? numbers.findLast((number) => from !== undefined && number < from);
  if (target === undefined) {
    throw new DomainError(
      'model-not-found',
      `There is no version of "${name}" before ${from ?? 'the first'} to go back to.`,
    );
  }
  const canary = labels.canary === target ? null : labels.canary;
  return writeLabels(root, name, { stable: target, canary, previous: from ?? null });
}

async function changed(root: string, name: string, before: Labels, change: LabelChange): Promise<Labels> {
  const after = { ...before, ...change };
  // A label that moves onto the canary, and says nothing of the canary, promotes it.
  if (change.canary === undefined && after.stable === after.canary) after.canary = null;
  const from = before.stable ?? newestBeside(before.canary, await versionNumbers(root, name)) ?? null;
  if (change.stable === undefined || change.stable === from) return after;
  return { ...after, previous: from };
}

/** What a service serves without a label, as far as a folder can tell. */
function newestBeside(canary: number | null, numbers: readonly number[]): number | undefined {
  return numbers.findLast((number) => number !== canary);
}
