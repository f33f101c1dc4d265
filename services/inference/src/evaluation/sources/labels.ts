import { classIndexOf } from '@atelier/domain';

/**
 * The class of a file by its folder, which may lie in others: its name, its slug or its index. The first class has a slash in
 * its name, so that its folder may be two. Undefined where the folder names no class.
 */
export function classOfFolder(path: string): number | undefined {
  const folders = path.split('/').slice(0, -1);
  const last = folders.at(-1);
  if (last === undefined) return undefined;
  const lastTwo = folders.slice(-2).join('/');
  return classIndexOf(lastTwo) ?? classIndexOf(last);
}

/** The name of the file that says the classes of others, in any folder. */
export function isLabelsFile(path: string): boolean {
  return /(^|\/)labels\.csv$/i.test(path);
}
